"""Runs Python, piece by piece, with variables that stay: also while the MicroVM is suspended."""

import contextlib
import io
import threading
import traceback

MAX_OUTPUT = 64 * 1024


class Interpreter:
    def __init__(self):
        self._variables = {"__name__": "__main__"}
        self._one_at_a_time = threading.Lock()

    def run(self, code):
        """The code runs in this very process, and may break it: it is its tenant's own, and the MicroVM is the wall."""
        output = io.StringIO()
        failed = False
        with self._one_at_a_time, contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                exec(compile(code, "<sandbox>", "exec"), self._variables)
            except BaseException:
                failed = True
                traceback.print_exc()
        return {"output": output.getvalue()[:MAX_OUTPUT], "failed": failed}
