"""Wi-Fi for programs that wake, say something and sleep again."""

import json
import network
import ntptime
import time


class Offline(OSError):
    """No network before the time was up."""


def credentials():
    # Written once by cable: a bundle is signed, but anyone can read it.
    with open("wifi.json") as f:
        return json.load(f)


def connect(timeout_s=15):
    """The connected interface. Raises Offline."""
    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    if not wlan.isconnected():
        wifi = credentials()
        wlan.connect(wifi["ssid"], wifi["key"])
        deadline = time.ticks_add(time.ticks_ms(), timeout_s * 1000)
        while not wlan.isconnected():
            if time.ticks_diff(deadline, time.ticks_ms()) <= 0:
                wlan.active(False)
                raise Offline("no Wi-Fi after %d s" % timeout_s)
            time.sleep_ms(100)
    return wlan


def set_clock():
    """True if the time is known now. The RTC keeps it through deep sleep."""
    try:
        ntptime.settime()
        return True
    except OSError:
        return time.gmtime()[0] >= 2025


def off():
    """Without it the radio costs 80 mA until the next reset."""
    wlan = network.WLAN(network.STA_IF)
    if wlan.active():
        wlan.disconnect()
        wlan.active(False)
