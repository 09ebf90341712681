"""Launches a MicroVM for a job, and does not wait for it."""

import json
import os

import boto3

# The profile of the stack, as the input of RunMicrovm.
SETTINGS = json.loads(os.environ["MICROVM_LAUNCH"])
CLIENT = boto3.client("lambda-microvms")


def handler(job, _context):
    microvm = CLIENT.run_microvm(**{**SETTINGS, "runHookPayload": json.dumps({"url": job["url"]})})
    return {"microvmId": microvm["microvmId"], "imageVersion": microvm["imageVersion"]}
