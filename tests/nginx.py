"""A private nginx that answers every request with 204: the fastest listener there is."""

from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shutil import which

from tests.service import Service

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_body_buffer_size 1m;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 204; }}
  }}
}}
"""


class Nginx(Service):
    """nginx, the machine's own."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _launch(self) -> None:
        configuration = self.folder / "nginx.conf"
        configuration.write_text(_CONFIGURATION.format(folder=self.folder, port=self.port))
        nginx = which("nginx", path="/usr/sbin:/usr/bin") or "nginx"
        self._run(Path(nginx), "-c", configuration, "-p", self.folder)

    def _answers(self) -> bool:
        client = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            client.request("GET", "/")
            return client.getresponse().status == 204
        except (OSError, HTTPException):
            return False
        finally:
            client.close()
