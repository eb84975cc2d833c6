"""What the board can feel: air, soil and its own battery."""

import dht
import time
from machine import ADC, Pin


def air(pin, tries=3):
    """{"celsius": ..., "humidity": ...}, or {} if the DHT22 does not answer.

    It needs 2 s between measurements, and the first after a sleep is often
    lost."""
    sensor = dht.DHT22(Pin(pin))
    for attempt in range(tries):
        if attempt:
            time.sleep(2)
        try:
            sensor.measure()
        except OSError:
            continue
        return {"celsius": sensor.temperature(), "humidity": sensor.humidity()}
    return {}


def _average(pin, count=16):
    adc = ADC(Pin(pin), atten=ADC.ATTN_11DB)
    return sum(adc.read_u16() for _ in range(count)) // count


def soil(pin, scale):
    """Moisture in percent, between what this probe reads dry and wet."""
    dry, wet = scale["dry"], scale["wet"]
    percent = 100 * (_average(pin) - dry) // (wet - dry)
    return min(100, max(0, percent))


def battery(pin):
    """Volts, behind a divider of two equal resistors."""
    return round(2 * 3.3 * _average(pin) / 65535, 2)
