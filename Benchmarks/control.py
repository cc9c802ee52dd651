"""The control API, as far as the figures need it."""
import http.client
import json


class ControlAPI:
    """One connection to the admin port; `account` is the one that the first start makes."""

    def __init__(self, server, account, token):
        self.account, self.token, self.server = account, token, server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.admin)

    def another(self):
        return ControlAPI(self.server, self.account, self.token)

    def call(self, method, path, body=None, content_type="application/json"):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"}
        if body is not None:
            headers["Content-Type"] = content_type
        self.connection.request(method, "/client/v4" + path, body, headers)
        answer = json.loads(self.connection.getresponse().read())
        if not answer["success"]:
            raise RuntimeError(f"{method} {path}: {answer['errors']}")
        return answer["result"]

    def upload(self, name, code, bindings=(), account=None):
        metadata = json.dumps({"main_module": "index.js", "bindings": list(bindings)})
        parts = [("metadata", "", "application/json", metadata),
                 ("index.js", '; filename="index.js"', "application/javascript+module", code)]
        form = "".join(f'--b\r\nContent-Disposition: form-data; name="{part}"{file}\r\nContent-Type: {kind}\r\n\r\n'
                       f"{text}\r\n" for part, file, kind, text in parts) + "--b--\r\n"
        self.call("PUT", f"/accounts/{account or self.account}/workers/scripts/{name}", form.encode(),
                  "multipart/form-data; boundary=b")

    def deploy(self, name, code, bindings=(), account=None):
        self.upload(name, code, bindings, account)
        self.call("POST", f"/accounts/{account or self.account}/workers/scripts/{name}/subdomain", {"enabled": True})
