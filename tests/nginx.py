"""Private servers of nginx, which answer every request alike."""

from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shutil import which

from tests.authority import Authority
from tests.service import Service

_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
  {log}
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_body_buffer_size 1m;
  server {{
    listen 127.0.0.1:{port} {listen};
    {more}
    location / {{ return {status}; }}
  }}
}}
"""


class Nginx(Service):
    """nginx, the machine's own, answering with 204: the fastest listener there is."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _launch(self) -> None:
        self._run_with(log="access_log off;", more="keepalive_requests 1000000;", status=204)

    def _run_with(self, *, log: str, more: str, status: int, listen: str = "") -> None:
        text = _CONFIGURATION.format(
            folder=self.folder, port=self.port, log=log, more=more, status=status, listen=listen
        )
        configuration = self.folder / "nginx.conf"
        configuration.write_text(text)
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


class LeavingNginx(Nginx):
    """nginx that speaks HTTP/2 and ends a connection by GOAWAY after so many requests."""

    def __init__(self, *, requests: int, streams: int) -> None:
        """`streams`: how many it takes side by side."""
        super().__init__()
        self._requests = requests
        self._streams = streams
        self.authority = Authority.make(self.folder)

    def seen(self) -> list[str]:
        """The apns-id of each request."""
        return (self.folder / "requests").read_text().split()

    def _launch(self) -> None:
        self._run_with(
            log=f"log_format id $http_apns_id; access_log {self.folder}/requests id;",
            more=f"ssl_certificate {self.folder}/server.pem;"
            f" ssl_certificate_key {self.folder}/server.pem;"
            f" keepalive_requests {self._requests}; http2_max_concurrent_streams {self._streams};",
            status=200,
            listen="ssl http2",
        )

    def _answers(self) -> bool:
        return True
