package stream

import (
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
)

// A generated union type stores its value as JSON, so a value in it is encoded twice.
// The types here have the fields of generated types, with the value itself.

// Item is one of the generated types of api.ThreadItem.
type Item any

// ItemPage is an api.ThreadItemPage.
type ItemPage struct {
	Data    []Item  `json:"data"`
	HasMore bool    `json:"has_more"`
	After   *string `json:"after,omitempty"`
}

// Thread is an api.Thread.
type Thread struct {
	api.Thread

	Items ItemPage `json:"items"`
}

// ThreadPage is an api.ThreadPage.
type ThreadPage struct {
	Data    []Thread `json:"data"`
	HasMore bool     `json:"has_more"`
	After   *string  `json:"after,omitempty"`
}

// ThreadEvent is an api.ThreadCreatedEvent or an api.ThreadUpdatedEvent.
type ThreadEvent struct {
	Type   string `json:"type"`
	Thread Thread `json:"thread"`
}

// itemEvent is an api.ThreadItemAddedEvent or an api.ThreadItemDoneEvent.
type itemEvent struct {
	Type string `json:"type"`
	Item Item   `json:"item"`
}

// updatedEvent is an api.ThreadItemUpdatedEvent.
type updatedEvent struct {
	Type   api.ThreadItemUpdatedEventType `json:"type"`
	ItemID uuid.UUID                      `json:"item_id"`
	Update any                            `json:"update"`
}
