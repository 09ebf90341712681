"""Starts ministack, and has it judge the SSM calls that name a path or several parameters by these, as AWS does.

Left alone it takes them for calls about all resources, which a least-privilege policy does not allow.
"""

import json

from ministack.core import iam_actions, iam_evaluator

extract_resource_arn = iam_actions.extract_resource_arn
enforce = iam_evaluator.enforce


class Parameters(str):
    """The ARN of the first of several parameters. The caller must be allowed each of them."""

    others: tuple[str, ...] = ()


def resource_of(service, method, path, headers, body, query_params, region, account_id):
    arn = extract_resource_arn(service, method, path, headers, body, query_params, region, account_id)
    if service != "ssm" or arn != "*":
        return arn
    call = json.loads(body or b"{}")
    names = [call["Path"]] if "Path" in call else call.get("Names", [])
    if not names:
        return arn
    first, *others = [f"arn:aws:ssm:{region}:{account_id}:parameter/{name.strip('/')}" for name in names]
    parameters = Parameters(first)
    parameters.others = tuple(others)
    return parameters


def enforce_each(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
    for arn in (resource_arn, *getattr(resource_arn, "others", ())):
        if denied := enforce(access_key_id, iam_action, service, region, resource_arn=arn, service_context=service_context):
            return denied
    return None


# ministack looks both up with each request.
iam_actions.extract_resource_arn = resource_of
iam_evaluator.enforce = enforce_each

from ministack.app import main  # noqa: E402

main()
