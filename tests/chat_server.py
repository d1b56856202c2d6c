"""A real server on this machine that speaks the chat-completions protocol."""

import contextlib
import http.server
import json
import threading


@contextlib.contextmanager
def served(answer):
    """A server whose `answer(body, headers)` gives (status, text or JSON); yields (base_url, list of requests)."""
    seen, lock = [], threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                seen.append((self.path, body, dict(self.headers)))
                status, said = answer(body, len(seen))
            if isinstance(said, str):
                said = {"choices": [{"message": {"content": said}}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
            self.send_response(status)
            for name, value in (said.pop("headers", {}) if status != 200 else {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
