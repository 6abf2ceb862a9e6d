"""A ChatKit store in memory, made to be fast: no copies and no searching."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chatkit.store import NotFoundError, Store
from chatkit.types import Attachment, Page, Thread, ThreadItem, ThreadMetadata


@dataclass
class Context:
    """Who asks, where, and what their page offers."""

    user: str
    client_tools: list[dict] = field(default_factory=list)
    origin: str = ""


T = TypeVar("T")


class Shelf(Generic[T]):
    """Things in the order in which they came, found by their ids."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}  # id to number
        self._numbers: list[int] = []
        self._things: list[T] = []
        self._next = 0

    def put(self, key: str, thing: T) -> None:
        if key in self._ids:
            self._things[self._at(key)] = thing
            return
        self._ids[key] = self._next
        self._numbers.append(self._next)
        self._things.append(thing)
        self._next += 1

    def get(self, key: str) -> T:
        return self._things[self._at(key)]

    def remove(self, key: str) -> None:
        at = self._at(key)
        del self._things[at], self._numbers[at], self._ids[key]

    def page(self, after: str | None, limit: int, order: str) -> tuple[list[T], bool]:
        count = len(self._things)
        if order == "desc":
            end = self._at(after) if after else count
            start = max(end - limit, 0)
            return self._things[start:end][::-1], start > 0
        start = self._at(after) + 1 if after else 0
        return self._things[start : start + limit], start + limit < count

    def _at(self, key: str) -> int:
        try:
            return bisect_left(self._numbers, self._ids[key])
        except KeyError:
            raise NotFoundError(f"{key} is not there") from None


@dataclass
class Record:
    """A thread with its items."""

    thread: ThreadMetadata
    items: Shelf[ThreadItem] = field(default_factory=Shelf)


class MemoryStore(Store[Context]):
    """Each user's threads, and all attachments."""

    def __init__(self) -> None:
        self._users: dict[str, Shelf[Record]] = {}
        self._attachments: dict[str, tuple[str, Attachment]] = {}
        self.feedback: list[tuple[str, list[str], str]] = []

    def _shelf(self, context: Context) -> Shelf[Record]:
        shelf = self._users.get(context.user)
        if shelf is None:
            shelf = self._users[context.user] = Shelf()
        return shelf

    def _record(self, thread_id: str, context: Context) -> Record:
        return self._shelf(context).get(thread_id)

    async def load_thread(self, thread_id: str, context: Context) -> ThreadMetadata:
        # A copy: the package changes what it loaded before it saves it.
        return self._record(thread_id, context).thread.model_copy()

    async def save_thread(self, thread: ThreadMetadata, context: Context) -> None:
        if isinstance(thread, Thread):  # A new one comes with its items, which are not its own.
            thread = ThreadMetadata(**{k: v for k, v in thread.__dict__.items() if k != "items"})
        shelf = self._shelf(context)
        try:
            shelf.get(thread.id).thread = thread
        except NotFoundError:
            shelf.put(thread.id, Record(thread))

    async def load_threads(
        self, limit: int, after: str | None, order: str, context: Context
    ) -> Page[ThreadMetadata]:
        records, more = self._shelf(context).page(after, limit, order)
        threads = [record.thread for record in records]
        return Page(data=threads, has_more=more, after=threads[-1].id if more else None)

    async def delete_thread(self, thread_id: str, context: Context) -> None:
        self._shelf(context).remove(thread_id)

    async def load_thread_items(
        self, thread_id: str, after: str | None, limit: int, order: str, context: Context
    ) -> Page[ThreadItem]:
        items, more = self._record(thread_id, context).items.page(after, limit, order)
        return Page(data=items, has_more=more, after=items[-1].id if more else None)

    async def add_thread_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        self._record(thread_id, context).items.put(item.id, item)

    async def save_item(self, thread_id: str, item: ThreadItem, context: Context) -> None:
        self._record(thread_id, context).items.put(item.id, item)

    async def load_item(self, thread_id: str, item_id: str, context: Context) -> ThreadItem:
        return self._record(thread_id, context).items.get(item_id)

    async def delete_thread_item(self, thread_id: str, item_id: str, context: Context) -> None:
        self._record(thread_id, context).items.remove(item_id)

    async def save_attachment(self, attachment: Attachment, context: Context) -> None:
        self._attachments[attachment.id] = (context.user, attachment)

    async def load_attachment(self, attachment_id: str, context: Context) -> Attachment:
        user, attachment = self._attachments.get(attachment_id, (None, None))
        if user != context.user or attachment is None:
            raise NotFoundError(f"{attachment_id} is not there")
        return attachment

    async def delete_attachment(self, attachment_id: str, context: Context) -> None:
        await self.load_attachment(attachment_id, context)
        del self._attachments[attachment_id]

    def end_upload(self, attachment_id: str) -> None:
        """An attachment whose bytes are there has no upload descriptor any more."""
        if attachment_id not in self._attachments:
            raise NotFoundError(f"{attachment_id} is not there")
        user, attachment = self._attachments[attachment_id]
        uploaded = attachment.model_copy(update={"upload_descriptor": None})
        self._attachments[attachment_id] = (user, uploaded)
