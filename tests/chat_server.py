"""A real server on this machine that speaks the chat-completions protocol, and can be told to fail as real ones do."""

import contextlib
import http.server
import json
import threading
import time

DROPPED, TRUNCATED, BROKEN = "dropped", "truncated", "broken"
"""Instead of a status: the connection closes unanswered; half the JSON is sent as if it were all; half of it, and the connection closes."""


def completion(text, prompt=7, reply=3, finish="stop"):
    return {"choices": [{"message": {"content": text}, "finish_reason": finish}], "usage": {"prompt_tokens": prompt, "completion_tokens": reply}}


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_):
        """A client that was killed is no error of ours."""


@contextlib.contextmanager
def served(answer, whole=None):
    """A server whose `answer(body, number)` gives (status, text or JSON) and may add seconds to wait before it is sent; yields (base_url, list of requests).

    Bodies that were answered whole with status 200 are added to `whole`.
    """
    seen, lock = [], threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                seen.append((self.path, body, {name.lower(): value for name, value in self.headers.items()}))
                status, said, *pause = answer(body, len(seen))
            time.sleep(sum(pause))
            if isinstance(said, str):
                said = completion(said)
            self.close_connection = status in (DROPPED, BROKEN)
            if status != DROPPED:
                self.say(status, said)
            if status == 200 and whole is not None:
                whole.append(body)

        def say(self, status, said):
            self.send_response(200 if isinstance(status, str) else status)
            for name, value in (said.pop("headers", {}) if status != 200 else {}).items():
                self.send_header(name, value)
            text = json.dumps(said).encode()
            sent = text[:len(text) // 2] if isinstance(status, str) else text
            self.send_header("Content-Length", str(len(text if status == BROKEN else sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
