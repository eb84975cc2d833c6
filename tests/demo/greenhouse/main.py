"""Greenhouse sensor: wake, measure, publish, sleep again.

Readings that could not be sent wait in RTC memory, which deep sleep keeps:
a night without Wi-Fi costs nothing but delay."""

import json
import machine
import time

import mqtt
import net
import sensors

KEEP = 20  # readings; RTC memory has 2 KiB


def site():
    with open("site.json") as f:
        return json.load(f)


def waiting():
    try:
        return json.loads(machine.RTC().memory())
    except ValueError:
        return []  # the first start


def measure(site):
    reading = {"t": time.time()}
    reading.update(sensors.air(site["pins"]["dht"]))
    reading["soil"] = sensors.soil(site["pins"]["soil"], site["soil"])
    reading["battery"] = sensors.battery(site["pins"]["battery"])
    return reading


def send(site, readings):
    name = machine.unique_id().hex()
    topic = "greenhouse/%s/%s" % (site["site"], site["bed"])
    with mqtt.Client(site["broker"], name) as client:
        for reading in readings:
            client.publish(topic, json.dumps(reading))


def main():
    here = site()
    readings = waiting()[1 - KEEP:] + [measure(here)]
    try:
        net.connect()
        net.set_clock()
        send(here, readings)
        readings = []
    except OSError as error:
        print("not sent, %d waiting: %s" % (len(readings), error))
    finally:
        net.off()
    machine.RTC().memory(json.dumps(readings))
    machine.deepsleep(here["interval_s"] * 1000)


main()
