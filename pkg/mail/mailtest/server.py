# A mail server for tests: python3 server.py DIR SECURITY PORT USER PASSWORD
# It prints its port, and writes what it takes into DIR/mails.
import asyncio
import itertools
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

folder, security, port, user, password = sys.argv[1:6]
numbers = itertools.count(len(os.listdir(os.path.join(folder, "mails"))) + 1)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refuse"):
            return "550 5.1.1 <%s> is not known here" % address
        if address.startswith("later"):
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("drop"):
            server.transport.abort()
            return "421 gone"
        name = os.path.join(folder, "mails", "%08d" % next(numbers))
        with open(name + ".tmp", "wb") as f:
            f.write(("X-From: %s\r\nX-Rcpt: %s\r\n" % (envelope.mail_from, envelope.rcpt_tos[0])).encode())
            f.write(envelope.content)
        os.rename(name + ".tmp", name + ".eml")
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    login = getattr(data, "login", b"").decode()
    secret = getattr(data, "password", b"").decode()
    return AuthResult(success=(login, secret) == (user, password), handled=False)


async def main():
    context = None
    if security != "plain":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))

    def protocol():
        return SMTP(
            Handler(),
            enable_SMTPUTF8=True,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=authenticate if user else None,
            auth_required=bool(user),
            auth_require_tls=security == "starttls",
        )

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", int(port), ssl=context if security == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
