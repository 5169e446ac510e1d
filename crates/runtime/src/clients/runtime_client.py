"""Asks the Lambda Runtime API for work and hands it to a handler: `module.function`."""

import http.client
import importlib
import json
import os
import sys
import time
import traceback

API = "/2018-06-01/runtime/"


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None


class Context:
    """What a handler is told of its invocation."""

    current = ""

    def __init__(self, headers):
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.aws_request_id = Context.current = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity, self.client_context = Identity(), None

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))


def failure(error, kind=None):
    """The error as AWS shows it; frames of this file are nobody's business."""
    frames = [it for it in traceback.extract_tb(error.__traceback__) if it.filename != __file__]
    frames = [it for it in frames if not it.filename.startswith("<frozen importlib")]
    return {
        "errorMessage": str(error),
        "errorType": kind or type(error).__name__,
        "stackTrace": traceback.format_list(frames),
    }


def tell(failed):
    """Prints a failure to the log."""
    head = "[ERROR] {}: {}\n".format(failed["errorType"], failed["errorMessage"])
    trace = "Traceback (most recent call last):\n" + "".join(failed["stackTrace"])
    sys.stderr.write(head + (trace if failed["stackTrace"] else ""))


def load(handler):
    """The function called `handler`, or why there is none."""
    try:
        module, name = handler.rsplit(".", 1)
    except ValueError as error:
        said = ValueError("Bad handler '%s': %s" % (handler, error))
        return None, failure(said, "Runtime.MalformedHandlerName")
    try:
        module = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        said = ImportError("Unable to import module '%s': %s" % (module, error))
        return None, failure(said.with_traceback(error.__traceback__), "Runtime.ImportModuleError")
    except SyntaxError as error:
        said = SyntaxError("Syntax error in module '%s': %s" % (module, error))
        return None, failure(said.with_traceback(error.__traceback__), "Runtime.UserCodeSyntaxError")
    except Exception as error:
        return None, failure(error)
    if not hasattr(module, name):
        said = AttributeError("Handler '%s' missing on module '%s'" % (name, module.__name__))
        return None, failure(said, "Runtime.HandlerNotFound")
    return getattr(module, name), None


class Api:
    """One connection, kept open: the next question may wait for minutes."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(address)

    def ask(self, method, path, body=None, kind=None):
        headers = {"Content-Type": "application/json"}
        if kind:
            headers["Lambda-Runtime-Function-Error-Type"] = kind
        self._connection.request(method, API + path, body, headers)
        response = self._connection.getresponse()
        return response.status, response.headers, response.read()

    def fail(self, path, failed):
        tell(failed)
        flush()
        self.ask("POST", path, json.dumps(failed).encode(), failed["errorType"])


def flush():
    sys.stdout.flush()
    sys.stderr.flush()


def work(api, handler):
    """One invocation."""
    status, headers, event = api.ask("GET", "invocation/next")
    if status != 200:
        sys.exit(1)
    request = "invocation/" + headers["Lambda-Runtime-Aws-Request-Id"]
    os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
    try:
        answer = handler(json.loads(event), Context(headers))
    except Exception as error:
        return api.fail(request + "/error", failure(error))
    try:
        answer = json.dumps(answer, ensure_ascii=False).encode()
    except Exception as error:
        said = TypeError("Unable to marshal response: %s" % error)
        return api.fail(request + "/error", failure(said, "Runtime.MarshalError"))
    flush()
    status, _, _ = api.ask("POST", request + "/response", answer)
    if status >= 500:
        sys.exit(1)


def log_like_lambda():
    """Handlers call `logging.getLogger().setLevel` and expect to be read."""
    import logging

    def named(record):
        record.aws_request_id = Context.current
        return True

    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    output = logging.StreamHandler(sys.stdout)
    output.addFilter(named)
    output.setFormatter(logging.Formatter(form, "%Y-%m-%dT%H:%M:%S"))
    output.formatter.converter = time.gmtime
    logging.getLogger().addHandler(output)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [it for it in sys.path if os.path.abspath(it) != here]
    log_like_lambda()
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    handler, failed = load(os.environ["_HANDLER"])
    if failed:
        api.fail("init/error", failed)
        sys.exit(1)
    while True:
        work(api, handler)


main()
