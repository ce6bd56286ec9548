package demo

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// scene is an act that was played: what was sent, what the gateway said, and
// what its trail knows.
type scene struct {
	act
	data  []byte // as sent
	first reply  // of the first try, where there were two
	said  reply  // of the last try
	story trail.Story
}

// playAll sends the seven messages and prints a line about each.
func (s *stage) playAll(ctx context.Context) (done []scene, err error) {
	for i, a := range play {
		sc := scene{act: a, data: a.message(time.Now(), fmt.Sprintf("demo-%d-%d", i+1, time.Now().UnixNano()))}
		if a.signed {
			if sc.data, err = s.sign(sc.data); err != nil {
				return nil, err
			}
		}
		if err := s.perform(ctx, &sc); err != nil {
			return nil, fmt.Errorf("message %d, from %s: %w", i+1, a.from, err)
		}
		s.say("  %s", sc.line())
		done = append(done, sc)
	}
	return done, nil
}

// sign signs with friend.test's key, as that domain's own server would.
func (s *stage) sign(data []byte) ([]byte, error) {
	var b bytes.Buffer
	err := dkim.Sign(&b, bytes.NewReader(data), &dkim.SignOptions{
		Domain: "friend.test", Selector: friendSelector, Signer: s.keys.friends,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date", "Message-ID"},
	})
	return b.Bytes(), err
}

// perform sends a message, again if it comes back, and looks up its story.
func (s *stage) perform(ctx context.Context, sc *scene) (err error) {
	port := s.ports.smtp
	if sc.login {
		port = s.ports.submission
	}
	if sc.said, err = sc.send(ctx, s.at(port), sc.data); err != nil {
		return err
	}
	if sc.again {
		sc.first = sc.said
		if err := pause(ctx, 2500*time.Millisecond); err != nil {
			return err
		}
		if sc.said, err = sc.send(ctx, s.at(port), sc.data); err != nil {
			return err
		}
	}
	if sc.said.id == "" {
		return fmt.Errorf("no ID in the reply %q", sc.said.text)
	}
	sc.story, err = s.lookUp(ctx, sc.said.id, sc.action == "accept" && !sc.login)
	return err
}

// lookUp waits for the story: a refused message's is written when its session
// is over. For one that is bound for a mailbox it waits until it is there, since
// messages that are on their way together may overtake each other.
func (s *stage) lookUp(ctx context.Context, id mail.ID, bound bool) (trail.Story, error) {
	for range 500 {
		stories, err := s.gw.Explain(id)
		if err != nil {
			return trail.Story{}, err
		}
		if len(stories) == 1 && stories[0].Record != nil && (!bound || slices.ContainsFunc(stories[0].Events, delivered)) {
			return stories[0], nil
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return trail.Story{}, err
		}
	}
	return trail.Story{}, fmt.Errorf("the trail has no story of %s, or not that it was delivered", id)
}

func delivered(e trail.Event) bool { return e.What == "delivered" }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// outcome is what the trail says was decided.
func (sc scene) outcome() trail.Outcome {
	if os := sc.story.Record.Outcomes; len(os) > 0 {
		return os[0]
	}
	return trail.Outcome{}
}

// line is the scene in a line: verdict, sender, subject, and why or whereto.
func (sc scene) line() string {
	o := sc.outcome()
	verdict, note := o.Action, sc.note
	switch {
	case sc.again:
		verdict = strings.ToLower(word(sc.first.text)) // what it met at first
	case sc.login:
		verdict = "signed"
	}
	if o.Action == "reject" || o.Action == "defer" {
		note = ruleName(o.Rule) + "  " + code(sc.said.text)
	} else if o.Action == "quarantine" {
		note = ruleName(o.Rule) + "  " + sc.note
	}
	if p := sc.story.Record.Points; p != "" {
		note = "+" + p + " points  " + note
	}
	from, subject := sc.from, sc.subject
	if sc.login {
		subject = "to " + domainOf(sc.to)
	}
	return strings.TrimRight(fmt.Sprintf("%-11s %-18s %-18s %s", verdict, from, subject, note), " ")
}

// word is what a reply code means for a message.
func word(text string) string {
	switch {
	case strings.HasPrefix(text, "2"):
		return "accept"
	case strings.HasPrefix(text, "4"):
		return "defer"
	}
	return "reject"
}

func ruleName(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// code is the basic and the enhanced code of a reply.
func code(text string) string {
	f := strings.Fields(text)
	if len(f) < 2 {
		return text
	}
	return f[0] + " " + f[1]
}
