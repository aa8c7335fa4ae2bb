"""Stripe's own client against the stand-in: what it cannot read, the stand-in has wrong.

Its address and key come from STRIPE_BASE and STRIPE_KEY. Prints a line for each thing that was looked at, and ends with
status 1 at the first that is not as Stripe's client expects it.
"""

import os
import sys

import stripe

stripe.api_base = os.environ["STRIPE_BASE"].rstrip("/")
stripe.api_key = os.environ["STRIPE_KEY"]
stripe.max_network_retries = 0

LISTS = {
    "charge": stripe.Charge,
    "payment_intent": stripe.PaymentIntent,
    "refund": stripe.Refund,
    "event": stripe.Event,
    "balance_transaction": stripe.BalanceTransaction,
    "dispute": stripe.Dispute,
    "payout": stripe.Payout,
    "customer": stripe.Customer,
    "subscription": stripe.Subscription,
    "invoice": stripe.Invoice,
    "transfer": stripe.Transfer,
}


def looked(what):
    print(f"looked at {what}", flush=True)


def refused(kind, call, **expected):
    """The client's own exception for what the stand-in refuses."""
    try:
        call()
    except kind as error:
        for name, value in expected.items():
            assert getattr(error, name) == value, (name, getattr(error, name), value, str(error))
        assert error.user_message or error.error.message, error
        assert error.request_id.startswith("req_"), error.request_id
        return error
    raise AssertionError(f"{kind.__name__} was expected, and nothing was refused")


def lists():
    account = stripe.Account.retrieve()
    assert account.id.startswith("acct_"), account
    for word, kind in LISTS.items():
        listed = list(kind.list(limit=2).auto_paging_iter())
        assert listed, f"the stand-in has no {word}"
        ids = [one.id for one in listed]
        assert len(set(ids)) == len(ids), ids
        assert all(isinstance(one, kind) and one.object == word for one in listed)
        created = [one.created for one in listed]
        assert created == sorted(created, reverse=True), created
        once = [one.id for one in kind.list(limit=100).data]
        assert ids[:100] == once[:100], (ids, once)
        one = kind.retrieve(listed[0].id)
        assert one.id == listed[0].id and isinstance(one, kind)
        backwards = [one.id for one in kind.list(limit=2, ending_before=ids[-1]).auto_paging_iter()]
        assert backwards == list(reversed(ids[:-1])), (backwards, ids)
        refused(stripe.InvalidRequestError, lambda: kind.retrieve("no_such"), http_status=404, code="resource_missing")
        looked(f"{len(ids)} {word}s, page by page and one by one")
    since = stripe.Charge.list(limit=1).data[0].created
    assert all(one.created >= since for one in stripe.Charge.list(created={"gte": since}).data)
    client = stripe.StripeClient(stripe.api_key, base_addresses={"api": stripe.api_base})
    assert client.v1.charges.list({"limit": 1}).data[0].id == stripe.Charge.list(limit=1).data[0].id
    looked("a window of time, and the other client")


def refunds():
    charges = [one for one in stripe.Charge.list(limit=100).data if one.paid and not one.disputed and not one.amount_refunded]
    charge = charges[0]
    asked = {"charge": charge.id, "amount": 100, "metadata": {"why": "a test"}, "idempotency_key": "sdk-1"}
    first = stripe.Refund.create(**asked)
    assert isinstance(first, stripe.Refund) and first.amount == 100 and first.metadata["why"] == "a test"
    again = stripe.Refund.create(**asked)
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    refused(stripe.IdempotencyError, lambda: stripe.Refund.create(**(asked | {"amount": 101})), http_status=400)
    over = lambda: stripe.Refund.create(charge=charge.id, amount=charge.amount)
    refused(stripe.InvalidRequestError, over, http_status=400, param="amount")
    stripe.Refund.create(charge=charge.id)
    assert stripe.Charge.retrieve(charge.id).refunded
    refused(stripe.InvalidRequestError, lambda: stripe.Refund.create(charge=charge.id), code="charge_already_refunded")
    assert [one.id for one in stripe.Refund.list(charge=charge.id).auto_paging_iter()][-1] == first.id
    within = stripe.Charge.retrieve(charge.id, expand=["refunds"]).refunds.data
    assert {one.id for one in within} == {one.id for one in stripe.Refund.list(charge=charge.id).data}
    noted = stripe.Refund.modify(first.id, metadata={"why": "", "who": "ana"})
    assert "why" not in noted.metadata and noted.metadata["who"] == "ana"
    looked("a refund, its replay, and what is refused of it")


def many_refunds():
    charges = [one for one in stripe.Charge.list(limit=100).data if one.paid and not one.disputed and not one.amount_refunded]
    charge = charges[0]
    for number in range(12):
        within = stripe.Charge.retrieve(charge.id, expand=["refunds"]).refunds
        assert len(within.data) == min(number, 10) and within.has_more == (number > 10), (number, within)
        stripe.Refund.create(charge=charge.id, amount=1, idempotency_key=f"sdk-many-{number}")
    within = stripe.Charge.retrieve(charge.id, expand=["refunds"]).refunds
    assert len(within.data) == 10 and within.has_more, within
    # The list says where it goes on.
    whole = [one.id for one in within.auto_paging_iter()]
    assert len(set(whole)) == 12 and whole == [one.id for one in stripe.Refund.list(charge=charge.id, limit=100).data], whole
    listed = next(one for one in stripe.Charge.list(limit=100, expand=["data.refunds"]).data if one.id == charge.id)
    assert [one.id for one in listed.refunds.data] == whole[:10] and listed.refunds.has_more
    looked("a charge with more refunds than its list has room for")


def webhooks():
    endpoints = stripe.WebhookEndpoint.list(limit=100)
    assert len(endpoints.data) == 3 and endpoints.has_more is False, endpoints
    ids = [one.id for one in endpoints.data]
    assert all(one.object == "webhook_endpoint" and one.enabled_events and one.status in ("enabled", "disabled") for one in endpoints.data)
    assert "disabled" in [one.status for one in endpoints.data]
    paged = stripe.WebhookEndpoint.list(limit=1)
    assert len(paged.data) == 1 and paged.has_more is True
    assert [one.id for one in paged.auto_paging_iter()] == ids
    backwards = [one.id for one in stripe.WebhookEndpoint.list(limit=1, ending_before=ids[-1]).auto_paging_iter()]
    assert backwards == list(reversed(ids[:-1])), backwards
    assert stripe.WebhookEndpoint.list(limit=2, starting_after=ids[1]).has_more is False
    assert stripe.WebhookEndpoint.retrieve(ids[0]).id == ids[0]
    refused(stripe.InvalidRequestError, lambda: stripe.WebhookEndpoint.retrieve("we_no_such"), http_status=404)
    refused(stripe.InvalidRequestError, lambda: stripe.WebhookEndpoint.list(limit=101), param="limit")
    refused(stripe.InvalidRequestError, lambda: stripe.WebhookEndpoint.list(starting_after="we_no_such"), http_status=400)
    refused(stripe.InvalidRequestError, lambda: stripe.WebhookEndpoint.list(colour="red"), code="parameter_unknown")
    narrow = lambda: stripe.WebhookEndpoint.list(api_key=os.environ["STRIPE_NARROW_KEY"])
    assert "rak_webhook_read" in str(refused(stripe.PermissionError, narrow, http_status=403))
    events = list(stripe.Event.list(limit=1).auto_paging_iter())
    every = {one.id for one in events}
    lost = {one.id for one in stripe.Event.list(delivery_success=False, limit=1).auto_paging_iter()}
    told = {one.id for one in stripe.Event.list(delivery_success=True, limit=1).auto_paging_iter()}
    assert lost and told and lost | told == every and not lost & told, (lost, told, every)
    assert all(stripe.Event.retrieve(one).pending_webhooks > 0 for one in lost)
    assert all(stripe.Event.retrieve(one).pending_webhooks == 0 for one in told)
    kinds = ["charge.succeeded", "payout.paid"]
    of_kinds = {one.id for one in events if one.type in kinds}
    assert of_kinds and {one.id for one in stripe.Event.list(types=kinds, limit=1).auto_paging_iter()} == of_kinds
    both = {one.id for one in stripe.Event.list(types=kinds, delivery_success=False).auto_paging_iter()}
    assert both == lost & of_kinds, (both, lost)
    assert not stripe.Event.list(types=["payout.paid"]).data
    refused(stripe.InvalidRequestError, lambda: stripe.Event.list(types=[f"charge.{number}" for number in range(21)]))
    since = min(one.created for one in stripe.Event.list(limit=100).data)
    assert {one.id for one in stripe.Event.list(created={"gte": since}, limit=100).data} == every
    looked("webhook endpoints page by page, and what was not delivered to them")


def disputes():
    listed = stripe.Dispute.list(limit=100).data
    dispute = next(one for one in listed if one.evidence_details.due_by)
    assert stripe.Charge.retrieve(dispute.charge).disputed
    refused(stripe.InvalidRequestError, lambda: stripe.Refund.create(charge=dispute.charge), code="charge_disputed")
    staged = stripe.Dispute.modify(dispute.id, evidence={"uncategorized_text": "They used it."}, submit=False)
    assert staged.evidence.uncategorized_text == "They used it." and staged.evidence_details.has_evidence
    assert staged.status == "needs_response" and staged.evidence_details.submission_count == 0
    emptied = stripe.Dispute.modify(dispute.id, evidence={"uncategorized_text": ""}, submit=False)
    assert emptied.evidence.uncategorized_text is None and not emptied.evidence_details.has_evidence
    long = {"uncategorized_text": "x" * 150_001}
    refused(stripe.InvalidRequestError, lambda: stripe.Dispute.modify(dispute.id, evidence=long, submit=False), param="evidence")
    # Evidence without a word about submitting it is submitted.
    sent = stripe.Dispute.modify(dispute.id, evidence={"product_description": "A book a month."})
    assert sent.status == "under_review" and sent.evidence_details.submission_count == 1
    late = lambda: stripe.Dispute.modify(dispute.id, evidence={"uncategorized_text": "More."}, submit=False)
    refused(stripe.InvalidRequestError, late, http_status=400)
    silent = next(one for one in listed if not one.evidence_details.due_by)
    refused(stripe.InvalidRequestError, lambda: stripe.Dispute.modify(silent.id, evidence={"uncategorized_text": "Yes."}))
    assert stripe.Dispute.close(silent.id).status == "lost"
    looked("a dispute: evidence staged, emptied, submitted, too late; another given up")


def subscriptions():
    subscription = stripe.Subscription.list(limit=1, status="active").data[0]
    item = subscription["items"].data[0]
    assert item.price.unit_amount > 0 and item.current_period_end > item.current_period_start
    paused = stripe.Subscription.modify(subscription.id, pause_collection={"behavior": "keep_as_draft"}, idempotency_key="sdk-2")
    assert paused.pause_collection.behavior == "keep_as_draft" and paused.status == "active"
    wrong = lambda: stripe.Subscription.modify(subscription.id, pause_collection={"behavior": "for_ever"})
    refused(stripe.InvalidRequestError, wrong, param="pause_collection[behavior]")
    assert stripe.Subscription.modify(subscription.id, pause_collection="").pause_collection is None
    ending = stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)
    assert ending.cancel_at_period_end and ending.cancel_at == item.current_period_end and ending.canceled_at
    kept = stripe.Subscription.modify(subscription.id, cancel_at_period_end=False, metadata={"kept": "yes"})
    assert not kept.cancel_at_period_end and kept.cancel_at is None and kept.metadata["kept"] == "yes"
    over = stripe.Subscription.cancel(subscription.id, cancellation_details={"comment": "moved away"})
    assert over.status == "canceled" and over.ended_at and over.cancellation_details.comment == "moved away"
    refused(stripe.InvalidRequestError, lambda: stripe.Subscription.cancel(subscription.id), http_status=404)
    refused(stripe.InvalidRequestError, lambda: stripe.Subscription.modify(subscription.id, cancel_at_period_end=True))
    assert subscription.id not in [one.id for one in stripe.Subscription.list(limit=100).data]
    assert subscription.id in [one.id for one in stripe.Subscription.list(limit=100, status="all").data]
    customer = stripe.Customer.retrieve(subscription.customer)
    invoices = list(stripe.Invoice.list(customer=customer.id).auto_paging_iter())
    assert invoices and all(one.customer == customer.id for one in invoices)
    assert invoices[0].parent.subscription_details.subscription == subscription.id
    looked("a subscription: paused, resumed, ended with its period, kept, cancelled; its invoices")


def errors():
    refused(stripe.AuthenticationError, lambda: stripe.Charge.list(api_key="rk_live_wrong"), http_status=401)
    denied = refused(stripe.PermissionError, lambda: stripe.PaymentIntent.list(api_key=os.environ["STRIPE_NARROW_KEY"]), http_status=403)
    assert "rak_payment_intent_read" in str(denied)
    refused(stripe.InvalidRequestError, lambda: stripe.Charge.list(limit=101), param="limit")
    refused(stripe.InvalidRequestError, lambda: stripe.Charge.list(colour="red"), code="parameter_unknown")
    looked("a wrong key, a missing right, wrong parameters")


def main():
    assert stripe.VERSION.split(".")[0] == "16", stripe.VERSION
    for part in (lists, refunds, many_refunds, webhooks, disputes, subscriptions, errors):
        part()
    print(f"stripe {stripe.VERSION}: everything is as it should be")


if __name__ == "__main__":
    sys.exit(main())
