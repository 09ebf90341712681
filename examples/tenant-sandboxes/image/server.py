"""The sandbox of a tenant: POST /run {"code": "print(6 * 7)"}."""

import json
import os
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from interpreter import Interpreter

HOST = os.environ.get("HOST", "0.0.0.0")
PREFIX = "/aws/lambda-microvms/runtime/v1/"
MAX_REQUEST_BYTES = 256 * 1024

interpreter = Interpreter()
is_running = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def answer(self, status, document=None):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def text(self):
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def log_message(self, *_arguments):
        """Not each request."""


class AppHandler(Handler):
    def do_GET(self):
        # The first request can overtake the run hook, before which this MicroVM is a copy of the snapshot like any other.
        if self.path == "/health":
            self.answer(200 if is_running.is_set() else 503)
        else:
            self.answer(404)

    def do_POST(self):
        if not is_running.is_set():
            self.answer(503, {"message": "starting"})
        elif self.path != "/run" or int(self.headers.get("content-length", 0)) > MAX_REQUEST_BYTES:
            self.answer(400, {"message": f"POST /run, at most {MAX_REQUEST_BYTES} bytes"})
        else:
            self.answer(200, interpreter.run(json.loads(self.text())["code"]))


class HookHandler(Handler):
    """What the Lambda MicroVMs service calls in the life of a MicroVM. Every hook may be called more than once."""

    def do_POST(self):
        self.text()
        hook = getattr(self, "hook_" + self.path[len(PREFIX):], None) if self.path.startswith(PREFIX) else None
        status = hook() if hook else 404
        print(f"hook {self.path}: {status}")
        self.answer(status)

    def hook_ready(self):
        return 200

    def hook_validate(self):
        """In a throw-away MicroVM. What is used here is prefetched in every later start."""
        return 200 if Interpreter().run("print(6 * 7)") == {"output": "42\n", "failed": False} else 500

    def hook_run(self):
        # All MicroVMs of an image start with the same memory, and so with the same seed.
        random.seed()
        is_running.set()
        return 200

    def hook_suspend(self):
        return 200

    def hook_resume(self):
        return 200

    def hook_terminate(self):
        return 200


def serve(name, handler, port):
    server = ThreadingHTTPServer((HOST, port), handler)
    print(f"{name} on {HOST}:{server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever).start()


serve("app", AppHandler, int(os.environ.get("PORT", "8080")))
serve("hooks", HookHandler, int(os.environ.get("HOOK_PORT", "9000")))
