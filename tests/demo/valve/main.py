"""Irrigation valve: open at fixed hours, tell so, sleep in between."""

import machine
import time

import mqtt
import net

VALVE = 26  # a relay, open while high
BROKER = "broker.kew.example"
SCHEDULE = ((6, 10), (19, 15))  # hour (UTC), minutes


def seconds_until(hour):
    now = time.gmtime()
    return ((hour - now[3]) * 3600 - now[4] * 60 - now[5]) % 86400


def tell(state):
    name = machine.unique_id().hex()
    try:
        net.connect()
        with mqtt.Client(BROKER, name) as client:
            client.publish("valve/" + name, state, retain=True)
    except OSError as error:
        print("not told:", error)
    finally:
        net.off()


def water(minutes):
    # If this hangs, the watchdog resets the board, and the pin falls.
    dog = machine.WDT(timeout=60000)
    pin = machine.Pin(VALVE, machine.Pin.OUT, value=1)
    try:
        for _ in range(minutes * 6):
            time.sleep(10)
            dog.feed()
    finally:
        pin.off()


def due():
    """Minutes to water now, once an hour even if the board starts again."""
    now = time.gmtime()
    mark = "%d %d" % (now[7], now[3])  # day of the year, hour
    for hour, minutes in SCHEDULE:
        if hour == now[3] and machine.RTC().memory() != mark.encode():
            machine.RTC().memory(mark)
            return minutes
    return 0


def main():
    if time.gmtime()[0] < 2025:  # power was lost, and the clock with it
        net.connect()
        net.set_clock()
        net.off()
    minutes = due()
    if minutes:
        water(minutes)
        tell("watered %d minutes" % minutes)
    return min(seconds_until(hour) for hour, _ in SCHEDULE)


try:
    sleep_s = main()
except OSError as error:
    print("again in a minute:", error)
    sleep_s = 60
machine.deepsleep(sleep_s * 1000)
