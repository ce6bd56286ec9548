package imapd

import (
	"errors"

	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// updates is what a command may tell of the selected mailbox besides its own
// answer.
type updates uint8

const (
	updNone updates = iota
	updKeep         // all but EXPUNGE: RFC 9051 section 7.5.1 forbids it in FETCH, STORE and SEARCH
	updAll
)

// command is one row of the table: in which states it is taken, what may be
// told around it, and what it does. run reads the arguments to the end of the
// line before it does anything.
type command struct {
	in      state
	updates updates
	run     func(*session) reply
}

var commands map[string]command

func init() { // the rows refer to functions that refer to the table
	commands = map[string]command{
		"CAPABILITY":   {stateAny, updAll, (*session).capability},
		"NOOP":         {stateAny, updAll, (*session).noop},
		"LOGOUT":       {stateAny, updNone, (*session).logout},
		"ID":           {stateAny, updAll, (*session).identify},
		"STARTTLS":     {stateNew, updNone, (*session).starttls},
		"LOGIN":        {stateNew, updNone, (*session).login},
		"AUTHENTICATE": {stateNew, updNone, (*session).authenticate},

		"ENABLE":      {stateIn, updNone, (*session).enable},
		"SELECT":      {stateIn, updNone, (*session).selectBox},
		"EXAMINE":     {stateIn, updNone, (*session).examine},
		"CREATE":      {stateIn, updAll, (*session).create},
		"DELETE":      {stateIn, updAll, (*session).delete},
		"RENAME":      {stateIn, updAll, (*session).rename},
		"SUBSCRIBE":   {stateIn, updAll, (*session).subscribe},
		"UNSUBSCRIBE": {stateIn, updAll, (*session).unsubscribe},
		"LIST":        {stateIn, updAll, (*session).list},
		"LSUB":        {stateIn, updAll, (*session).lsub},
		"NAMESPACE":   {stateIn, updAll, (*session).namespace},
		"STATUS":      {stateIn, updAll, (*session).status},
		"APPEND":      {stateIn, updAll, (*session).append},
		"IDLE":        {stateIn, updAll, (*session).idle},

		"CHECK":       {stateSelected, updAll, (*session).noop},
		"CLOSE":       {stateSelected, updNone, (*session).close},
		"UNSELECT":    {stateSelected, updNone, (*session).unselect},
		"EXPUNGE":     {stateSelected, updAll, (*session).expunge},
		"UID EXPUNGE": {stateSelected, updAll, (*session).uidExpunge},
		"SEARCH":      {stateSelected, updKeep, bySeq((*session).search)},
		"UID SEARCH":  {stateSelected, updAll, byUID((*session).search)},
		"FETCH":       {stateSelected, updKeep, bySeq((*session).fetch)},
		"UID FETCH":   {stateSelected, updAll, byUID((*session).fetch)},
		"STORE":       {stateSelected, updKeep, bySeq((*session).store)},
		"UID STORE":   {stateSelected, updAll, byUID((*session).store)},
		"COPY":        {stateSelected, updAll, bySeq((*session).copy)},
		"UID COPY":    {stateSelected, updAll, byUID((*session).copy)},
		"MOVE":        {stateSelected, updAll, bySeq((*session).move)},
		"UID MOVE":    {stateSelected, updAll, byUID((*session).move)},
	}
}

func bySeq(f func(*session, bool) reply) func(*session) reply {
	return func(s *session) reply { return f(s, false) }
}

func byUID(f func(*session, bool) reply) func(*session) reply {
	return func(s *session) reply { return f(s, true) }
}

// command reads one command and answers it. An error ends the session.
func (s *session) command() error {
	s.dec.Begin()
	s.tag = s.dec.Tag()
	s.dec.SP()
	name := s.dec.Word()
	if name == "UID" && s.dec.Take(' ') {
		name += " " + s.dec.Word()
	}
	c, r := s.dispatch(name)
	r, err := s.after(r)
	if err != nil {
		return err
	}
	return s.answer(name, c, r)
}

// dispatch runs the command, if it may be given now.
func (s *session) dispatch(name string) (command, reply) {
	c, ok := commands[name]
	switch {
	case s.dec.Err() != nil:
		return command{}, syntax()
	case !ok:
		s.dec.Bad("Unknown command")
		return command{}, syntax()
	case c.in&s.state == 0:
		s.dec.Bad("%s cannot be given in this state", name)
		return command{}, syntax()
	}
	if s.view != nil && c.updates != updNone {
		s.update(false) // what the answer speaks of has been announced
	}
	return c, c.run(s)
}

// after puts what the decoder has to say in place of r, and reads the rest of
// a command that was not read to its end.
func (s *session) after(r reply) (reply, error) {
	var e *wire.Error
	if err := s.dec.Err(); errors.As(err, &e) {
		r = reply{e.Status, e.Code, e.Text}
		s.errors++
	}
	if s.state == stateLogout {
		return r, nil
	}
	return r, s.dec.Drain()
}

// answer tells what else happened, then how the command ended.
func (s *session) answer(name string, c command, r reply) error {
	if s.view != nil && c.updates != updNone {
		s.update(c.updates == updAll)
	}
	metricCommands(r.status).Inc()
	tag := s.tag
	if tag == "" {
		tag = "*" // RFC 9051 section 7.1: an untagged BAD
	}
	if r.status == "OK" && r.text == "" {
		r.text = name + " completed"
	}
	s.enc.Line(tag, " ", r.status, " ", bracket(r.code), r.text)
	if s.errors > maxErrors || s.state == stateNew && s.errors > maxErrorsNew {
		return errTooMany
	}
	return s.enc.Err()
}
