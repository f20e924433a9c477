from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler


class NoFiles(FileUploadHandler):
    """Ends a request at its first file, before anybody is asked who they are."""

    def new_file(self, *arguments: Any, **named: Any) -> NoReturn:
        raise RequestDataTooBig("No form takes a file.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise RequestDataTooBig("No form takes a file.")

    def file_complete(self, file_size: int) -> None:
        return None
