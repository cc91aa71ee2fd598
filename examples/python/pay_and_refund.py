"""Takes a payment, gives it back, and reads the truth: with the standard library alone.

YUANLU_URL, YUANLU_KEY (asks) and YUANLU_APPROVER_KEY (decides) say where and as whom.
"""

import json
import os
import sys
import time
import urllib.request
import uuid

URL = os.environ["YUANLU_URL"]
ASKER = os.environ["YUANLU_KEY"]
APPROVER = os.environ["YUANLU_APPROVER_KEY"]
OPENID = sys.argv[1] if len(sys.argv) > 1 else "oUpF8uMuAJO2pxb1Q9zNjWeS6o"


def call(key, method, path, body=None, idempotency_key=None):
    """The answer as a dict; a refusal is raised as urllib.error.HTTPError with its document."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=15) as answer:
        return json.load(answer)


def until_state(path, state):
    """Asks once a second, for two minutes at most."""
    for _ in range(120):
        found = call(ASKER, "GET", path)
        if found["state"] == state:
            return found
        time.sleep(1)
    sys.exit(f"{path} did not become {state}.")


# The key makes this safe to send again: whatever was lost on the way, there is one payment.
order = f"order-{uuid.uuid4()}"
wanted = {"amountFen": 100, "description": "A cup of tea", "openid": OPENID, "orderRef": order}
payment = call(ASKER, "POST", "/v1/payments", wanted, order)
print(f"payment {payment['id']} waits for the buyer")
until_state(f"/v1/payments/{payment['id']}", "paid")

wanted = {"paymentId": payment["id"], "amountFen": 100, "reason": "Cold tea", "actingUser": "li.na"}
refund = call(ASKER, "POST", "/v1/refunds", wanted, f"{order}-refund")
print(f"refund {refund['id']} waits for somebody else")
decision = {"actingUser": "wang.wei", "reason": "It was cold."}
call(APPROVER, "POST", f"/v1/refunds/{refund['id']}/approve", decision)
# Approved is not refunded, and neither is accepted: done is.
until_state(f"/v1/refunds/{refund['id']}", "done")

truth = call(ASKER, "GET", f"/v1/payments/{payment['id']}")
print(f"refunded {truth['refundedFen']} fen")
