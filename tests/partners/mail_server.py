"""An independent mail server for the tests: aiosmtpd, which keeps what it takes in a Maildir.

    mail_server.py MAILDIR [--tls CERT KEY] [--starttls CERT KEY] [--login USER PASSWORD]

Says `ready PORT` and serves until its standard input ends.
"""

import argparse
import asyncio
import ssl
import sys
import threading

from aiosmtpd.controller import UnthreadedController
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult, LoginPassword

arguments = argparse.ArgumentParser()
arguments.add_argument("maildir")
arguments.add_argument("--tls", nargs=2)
arguments.add_argument("--starttls", nargs=2)
arguments.add_argument("--login", nargs=2)
told = arguments.parse_args()


def context(files):
    if files is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*files)
    return made


def authenticate(server, session, envelope, mechanism, data):
    user, password = (word.encode() for word in told.login)
    is_known = isinstance(data, LoginPassword) and data.login == user and data.password == password
    return AuthResult(success=is_known, handled=False)


options = {}
if told.starttls:
    options.update(tls_context=context(told.starttls), require_starttls=True)
if told.login:
    # Encryption from the first byte is nothing that the server itself knows of.
    options.update(authenticator=authenticate, auth_required=True, auth_require_tls=bool(told.starttls))

loop = asyncio.new_event_loop()
server = UnthreadedController(
    Mailbox(told.maildir), hostname="127.0.0.1", port=0, loop=loop, ssl_context=context(told.tls), **options
)
server.begin()
print("ready", server.server.sockets[0].getsockname()[1], flush=True)


def wait_for_the_end():
    sys.stdin.read()
    loop.call_soon_threadsafe(loop.stop)


threading.Thread(target=wait_for_the_end, daemon=True).start()
loop.run_forever()
