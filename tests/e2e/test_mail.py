"""Mails, by way of a real mail server: each arrives once, none holds a key, and no request waits for the server."""
import email
import email.policy
import socket
import time

import pytest
from aiosmtpd.controller import Controller

from processes import SLOW, wait_for

SECRET = "sk-upstream-key-000001"


class Inbox:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos[0], mail["subject"], mail.get_content()))
        return "250 OK"

    def to(self, account):
        """The subjects of its mails."""
        return [subject for to, subject, _ in self.mails if to == f"{account.name}@example.com"]

    def text(self):
        return "\n".join(f"{to}\n{subject}\n{text}" for to, subject, text in self.mails)


@pytest.fixture(scope="module")
def inbox():
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    inbox.port = port
    yield inbox
    controller.stop()


MAIL = {"EMAIL_SENDER": "Gateway <gateway@example.com>", "EMAIL_SMTP": "127.0.0.1", "EMAIL_TLS": "none", "XAI_SERVICE": "The Exchange",
        "USER_MIN_BALANCE": "0", "CALL_MIN_BALANCE": "0"}


@pytest.fixture
def posting(start, inbox):
    inbox.mails.clear()
    return start(**MAIL, EMAIL_PORT=inbox.port)


def settled(gateway, inbox, count):
    """Waits for so many mails, and that no other is under way."""
    wait_for(lambda: len(inbox.mails) >= count, 10 * SLOW, f"{count} mails")
    wait_for(lambda: gateway.metric("proxyxai_mail_waiting") == 0, what="all to be sent")
    assert len(inbox.mails) == count, inbox.text()


def test_a_new_account_is_welcomed_without_its_key(posting, inbox):
    account = posting.make_child(12.5)
    settled(posting, inbox, 1)
    ((to, subject, text),) = inbox.mails
    assert to == f"{account.name}@example.com" and account.name in subject
    assert "$12.50" in text and "The Exchange" in text
    assert account.key not in text and account.key[-20:] not in text


def test_soft_and_hard_limit_are_told_once_each(posting, inbox):
    account = posting.make_child(1, HardLimit=0.00002, SoftLimit=0.00001)
    statuses = [account.chat()[0] for _ in range(6)]
    assert statuses == [200] * 3 + [429] * 3
    settled(posting, inbox, 3)
    welcome, soft, hard = inbox.to(account)
    assert "ready" in welcome and "Soft limit" in soft and "Hard limit" in hard


def test_a_low_balance_is_told_once_for_each_time_it_was_filled_up(start, inbox):
    inbox.mails.clear()
    gateway = start(**{**MAIL, "USER_MIN_BALANCE": "1"}, EMAIL_PORT=inbox.port)
    account = gateway.make_child(1)
    for _ in range(3):
        assert account.chat()[0] == 200
    settled(gateway, inbox, 2)
    gateway.change(account, CreditGranted=1)
    for figures in ('{"input":1,"output":1000000}', '{"input":1,"output":1000000}', "{}"):
        assert account.chat(headers={"x-mock-usage": figures})[0] == 200
    settled(gateway, inbox, 3)
    assert [subject.split(":")[0] for subject in inbox.to(account)[1:]] == ["Low balance"] * 2


def test_the_billing_address_goes_first(posting, inbox):
    posting.make_child(1, BillingEmail="bills@example.org")
    settled(posting, inbox, 1)
    assert inbox.mails[0][0] == "bills@example.org"


def test_root_is_told_of_a_dead_key_once(start, inbox, mock):
    inbox.mails.clear()
    gateway = start(**MAIL, EMAIL_PORT=inbox.port, keys=[SECRET, "sk-upstream-key-000002"])
    mock.script(SECRET, "invalid_api_key")
    while gateway.shown(SECRET)["State"] != "dead":
        assert gateway.chat()[0] == 200
    wait_for(lambda: inbox.mails, 15 * SLOW, "the mail")
    settled(gateway, inbox, 1)
    ((to, subject, text),) = inbox.mails
    assert to == "root@example.com" and "dead" in subject and "0001" in text
    assert "sk-upstream" not in text and SECRET[:-4] not in text


def test_no_mail_is_repeated_after_a_restart(start, inbox, mock):
    from processes import Gateway

    inbox.mails.clear()
    gateway = start(**MAIL, EMAIL_PORT=inbox.port)
    account = gateway.make_child(1, HardLimit=1, SoftLimit=0.00001)
    for _ in range(2):
        assert account.chat()[0] == 200
    settled(gateway, inbox, 2)
    assert gateway.stop() == 0
    again = Gateway(gateway.directory, mock, keys=[], root=gateway.root, **MAIL, EMAIL_PORT=inbox.port)
    account.gateway = again
    try:
        assert account.chat()[0] == 200
        other = again.make_child(1)
        settled(again, inbox, 3)
        assert len(inbox.to(account)) == 2 and len(inbox.to(other)) == 1
    finally:
        again.end()


@pytest.mark.parametrize("server", ["dead", "silent", "refusing"])
def test_a_mail_server_that_does_not_work_delays_no_request(start, server):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    if server == "silent":
        listener.listen(64)  # takes connections, and says nothing
    controller = None
    port = listener.getsockname()[1]
    if server == "refusing":
        listener.close()

        class Full:
            async def handle_RCPT(self, *_):
                return "451 try again later"

        controller = Controller(Full(), hostname="127.0.0.1", port=port)
        controller.start()
    elif server == "dead":
        listener.close()
    try:
        gateway = start(**MAIL, EMAIL_PORT=port)
        began = time.monotonic()
        accounts = [gateway.make_child(1, HardLimit=0.00002, SoftLimit=0.00001) for _ in range(20)]
        for account in accounts:
            assert [account.chat()[0] for _ in range(4)] == [200, 200, 200, 429]
        assert time.monotonic() - began < 3 * SLOW
        wait_for(lambda: gateway.metric("proxyxai_mail_waiting") == 60, what="all mails to wait")
        assert gateway.metric("proxyxai_mail_sent_total") == 0
        began = time.monotonic()
        gateway.end()
        assert time.monotonic() - began < 5 * SLOW, "nor the end"
        for account in accounts:
            assert account.key not in gateway.text()
    finally:
        listener.close()
        if controller:
            controller.stop()
