"""The bytes of attachments, in memory, uploaded in two phases."""

from chatkit.store import AttachmentStore
from chatkit.types import (
    Attachment,
    AttachmentCreateParams,
    AttachmentUploadDescriptor,
    FileAttachment,
    ImageAttachment,
)

from .store import Context, MemoryStore

PLACE = "/attachments/"


class Uploads(AttachmentStore[Context]):
    """Says where an attachment's bytes go, and takes them there: whatever comes,
    and as often as it comes."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._contents: dict[str, bytes] = {}

    async def create_attachment(
        self, input: AttachmentCreateParams, context: Context
    ) -> Attachment:
        attachment_id = self.generate_attachment_id(input.mime_type, context)
        url = f"{context.origin}{PLACE}{attachment_id}"
        fields = {
            "id": attachment_id,
            "name": input.name,
            "mime_type": input.mime_type,
            "upload_descriptor": AttachmentUploadDescriptor(
                url=url, method="PUT", headers={"Content-Type": input.mime_type}
            ),
        }
        if input.mime_type.startswith("image/"):
            return ImageAttachment(**fields, preview_url=url)
        return FileAttachment(**fields)

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        await self._store.load_attachment(attachment_id, context)  # It may be another user's.
        self._contents.pop(attachment_id, None)

    def take(self, attachment_id: str, content: bytes) -> None:
        self._store.end_upload(attachment_id)
        self._contents[attachment_id] = content

    def content(self, attachment_id: str) -> bytes | None:
        """The bytes, unless they have not come."""
        return self._contents.get(attachment_id)
