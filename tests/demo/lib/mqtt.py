"""Publishes over MQTT 3.1.1 with QoS 1: a message counts as sent only when
the broker has said that it has it."""

import socket
import struct


class Refused(OSError):
    """The broker does not want us."""


def _text(s):
    b = s.encode() if isinstance(s, str) else s
    return struct.pack("!H", len(b)) + b


def _length(n):
    out = bytearray()
    while True:
        n, low = n >> 7, n & 0x7F
        out.append(low | (0x80 if n else 0))
        if not n:
            return out


class Client:
    """with Client(host, name) as client: client.publish(topic, message)"""

    def __init__(self, host, name, port=1883, user=None, password=None):
        self.address = socket.getaddrinfo(host, port)[0][-1]
        self.name, self.user, self.password = name, user, password
        self.sock = None
        self.packet = 0

    def __enter__(self):
        flags, tail = 0x02, _text(self.name)  # a clean session
        if self.user is not None:
            flags |= 0xC0
            tail += _text(self.user) + _text(self.password or "")
        self.sock = socket.socket()
        self.sock.settimeout(10)
        self.sock.connect(self.address)
        self._send(0x10, _text("MQTT") + bytes((4, flags)) + b"\0\x1e" + tail)
        if self._receive(0x20)[1] != 0:
            raise Refused("broker refused %s" % self.name)
        return self

    def __exit__(self, *error):
        try:
            self._send(0xE0, b"")
        except OSError:
            pass
        self.sock.close()

    def publish(self, topic, message, retain=False):
        self.packet = self.packet % 0xFFFF + 1
        number = struct.pack("!H", self.packet)
        self._send(0x32 | retain, _text(topic) + number + message.encode())
        while self._receive(0x40)[:2] != number:
            pass  # an answer to an earlier one

    def _send(self, kind, body):
        self.sock.write(bytes((kind,)) + bytes(_length(len(body))) + body)

    def _receive(self, kind):
        """The body of the next packet of this kind: all have two bytes."""
        while True:
            head = self._read(2)
            body = self._read(head[1])
            if head[0] == kind:
                return body

    def _read(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.read(n - len(data))
            if not part:
                raise OSError("broker closed the connection")
            data += part
        return data
