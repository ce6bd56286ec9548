package admin

import (
	"context"
	"io"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Queue is what the gateway answers about the mail that waits. A filter is text in
// the grammar of queue.ParseFilter.
type Queue interface {
	// QueueList finds messages, oldest first; limit 0 is all.
	QueueList(filter string, limit int) ([]QueueEntry, error)
	// QueueShow is a message with its settled recipients, too.
	QueueShow(id mail.ID) ([]QueueEntry, error)
	// QueueText writes a message's header as it goes out, or all of it.
	QueueText(w io.Writer, id mail.ID, body bool) error
	QueueAct(ctx context.Context, o QueueOrder) (QueueResult, error)
	QueueSummary() QueueSummary
	QueueShape(filter string) ([]ShapeRow, error)
}

// Routes is what the gateway does with routes.
type Routes interface {
	Pauses() []RoutePause
	PauseRoute(ctx context.Context, p RoutePause) error
	ResumeRoute(ctx context.Context, route string) error
	TestRoute(ctx context.Context, address string) (RouteTest, error)
}

// QueueEntry is a message that waits.
type QueueEntry struct {
	ID       mail.ID          `json:"id"`
	From     string           `json:"from"`
	Since    time.Time        `json:"since"`
	Size     int64            `json:"size"`
	Listener string           `json:"listener,omitempty"`
	To       []QueueRecipient `json:"to"`
}

// QueueRecipient is a recipient that it waits for.
type QueueRecipient struct {
	Address string    `json:"address"`
	State   string    `json:"state"` // waiting, ready, active, held; of QueueShow also how it ended
	Tries   int       `json:"tries"`
	Next    time.Time `json:"next,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Host    string    `json:"host,omitempty"`
	Route   string    `json:"route,omitempty"`
	Tags    []string  `json:"tags,omitempty"`
}

// QueueOrder is something to be done to all that a filter chooses.
type QueueOrder struct {
	What   string `json:"what"` // retry, hold, release, bounce, delete
	Filter string `json:"filter"`
	Why    string `json:"why,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"` // only count
}

// QueueResult of a QueueOrder.
type QueueResult struct {
	Messages   int `json:"messages"`   // that the filter chooses
	Recipients int `json:"recipients"` // of theirs
	Done       int `json:"done"`       // recipients that were changed; the others were in no state for it
}

// QueueSummary is the queue in numbers.
type QueueSummary struct {
	Messages int           `json:"messages"`
	Waiting  int           `json:"waiting"`
	Ready    int           `json:"ready"`
	Active   int           `json:"active"`
	Held     int           `json:"held"`
	Oldest   time.Duration `json:"oldest_ns"`
	Paused   []RoutePause  `json:"paused,omitempty"`
	Reasons  []ReasonCount `json:"reasons,omitempty"` // the most frequent first
}

// ReasonCount is how many recipients wait for a reason.
type ReasonCount struct {
	Recipients int    `json:"recipients"`
	Reason     string `json:"reason"`
}

// ShapeRow is the recipients in one domain that wait, by the age of their messages.
type ShapeRow struct {
	Domain string  `json:"domain"`
	Total  int     `json:"total"`
	Ages   [10]int `json:"ages"` // up to 5, 10, 20, 40, 80, 160, 320, 640, 1280 minutes, and older
	Reason string  `json:"last_reply,omitempty"`
}

// RoutePause is a route that is stopped.
type RoutePause struct {
	Route string    `json:"route"`
	Until time.Time `json:"until,omitzero"`
	Why   string    `json:"why,omitempty"`
}

// RouteTest is what came of trying where an address goes.
type RouteTest struct {
	Route string      `json:"route"`
	OK    bool        `json:"ok"` // the recipient would be taken
	Steps []RouteStep `json:"steps"`
}

// RouteStep is one step of a RouteTest.
type RouteStep struct {
	OK   bool   `json:"ok"`
	What string `json:"what"` // "hosts", "connect", "tls", "recipient"
	Said string `json:"said"`
}
