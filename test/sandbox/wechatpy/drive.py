"""Drives wechatpy as it is published: one request a line in, one answer a line out, as JSON.

The first line says who the merchant is and where the sandbox listens. Every other line is
{"call": "order.query", "arguments": {...}} and is answered by {"value": ...} or {"error": ...}.
"""

import json
import sys
from operator import attrgetter

from wechatpy.exceptions import InvalidSignatureException, WeChatPayException
from wechatpy.pay import WeChatPay

settings = json.loads(sys.stdin.readline())


class SandboxPay(WeChatPay):
    """The address of the sandbox takes the place of WeChat Pay's; nothing else differs."""

    API_BASE_URL = settings.pop("base_url")


def answer(pay, request):
    try:
        value = attrgetter(request["call"])(pay)(**request["arguments"])
    except WeChatPayException as error:
        return {"error": {"return_code": error.return_code, "err_code": error.errcode}}
    except InvalidSignatureException:
        return {"error": {"err_code": "wrong signature"}}
    except Exception as error:  # The test is to say what went wrong, not a stack trace.
        return {"error": {"err_code": repr(error)}}
    return {"value": value}


client = SandboxPay(timeout=20, **settings)
for line in sys.stdin:
    print(json.dumps(answer(client, json.loads(line))), flush=True)
