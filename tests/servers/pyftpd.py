"""An FTP server in Python (pyftpdlib): pyftpd.py ROOT PORT CERT KEY [SLOW]

Anonymous may do all below ROOT.  With CERT and KEY, not "-", by TLS alone.
SLOW: seconds that a login takes, as where a server looks names up; several
logins take them side by side.
"""
import sys
import time

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

root, port, cert, key = sys.argv[1:5]
slow = float(sys.argv[5]) if len(sys.argv) > 5 else 0


class Authorizer(DummyAuthorizer):
    def validate_authentication(self, *who):
        print("login", flush=True)
        time.sleep(slow)
        super().validate_authentication(*who)


authorizer = Authorizer()
authorizer.add_anonymous(root, perm="elradfmwMT")
handler = FTPHandler
if cert != "-":
    handler = TLS_FTPHandler
    handler.certfile, handler.keyfile = cert, key
    handler.tls_control_required = handler.tls_data_required = True
handler.authorizer = authorizer
server = ThreadedFTPServer(("127.0.0.1", int(port)), handler)
server.max_cons = server.max_cons_per_ip = 0
server.serve_forever()
