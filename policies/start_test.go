package policies

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestStart: what waits on the network starts as soon as it can, if a rule needs
// it, now or later; everything else only when it is asked.
func TestStart(t *testing.T) {
	const policy = `
filter "dnsbl" "other" {
  zone = "other.example"
}
filter "dnsbl" "sender" {
  zone = "dbl.example"
  key  = mail.domain
}
filter "dnsbl" "gated" {
  zone = "gated.example"
  when = session.trusted
}
policy "p" {
  data {
    reject "a" {
      when = mail.null && (dnsbl.zen.listed || dnsbl.sender.listed || dnsbl.gated.listed)
      text = "5.7.1 x"
    }
    reject "b" {
      when = mail.null && (dmarc.result == "fail" || content.x.hit)
      text = "5.7.1 x"
    }
    reject "off" {
      mode = off
      when = client.name == ""
      text = "5.7.1 x"
    }
    limit "c" {
      when = mail.null
      rate = "1/1h"
    }
  }
}
filter "content" "x" {
  words = ["x"]
}
`
	w := newWorld()
	p := w.plan(t, head+policy)
	synctest.Test(t, func(t *testing.T) {
		tx := transaction(t, "bob@example.com")
		for _, c := range []struct {
			at   pipeline.Stage
			want []string
		}{
			{pipeline.Connect, []string{"dnsbl.zen"}},
			{pipeline.Helo, nil},
			{pipeline.Mail, []string{"dnsbl.sender stranger.test", "spf"}},
			{pipeline.Rcpt, nil},
			{pipeline.Data, nil},
		} {
			w.asked = nil
			p.Run(context.Background(), c.at, tx)
			synctest.Wait()
			slices.Sort(w.asked)
			if !slices.Equal(w.asked, c.want) {
				t.Errorf("%s: started %q, want %q", c.at, w.asked, c.want)
			}
		}
	})
}

// TestScopes: a key that asks for the recipient makes a finding for each.
func TestScopes(t *testing.T) {
	c := newWorld().load(t, head+`
filter "dnsbl" "rcpt" {
  zone = "x.example"
  key  = rcpt.domain
}
filter "dnsbl" "msg" {
  zone = "x.example"
  when = msg.is_bulk
}
policy "p" {
  connect {
    limit "c" {
      rate = "1/1h"
    }
  }
  mail {
    limit "m" {
      rate  = ["1/1h", "2/1d"]
      count = messages
      burst = 5
    }
  }
  rcpt {
    limit "r" {
      rate = "1/1h"
    }
  }
}`)
	ps, err := c.Build(filters.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]pipeline.Instance{
		"dnsbl.zen":               {From: pipeline.Connect, Scope: pipeline.PerSession, OnError: pipeline.ErrorDefers},
		"dnsbl.rcpt":              {From: pipeline.Rcpt, Scope: pipeline.PerRecipient},
		"dnsbl.msg":               {From: pipeline.Data, Scope: pipeline.PerMessage},
		"limit:p.connect.limit.c": {From: pipeline.Connect, Scope: pipeline.PerSession},
		"limit:p.mail.limit.m":    {From: pipeline.Mail, Scope: pipeline.PerMessage},
		"limit:p.rcpt.limit.r":    {From: pipeline.Rcpt, Scope: pipeline.PerRecipient},
	} {
		in, ok := ps.Set.Get(name)
		if !ok || in.From != want.From || in.Scope != want.Scope || in.OnError != want.OnError {
			t.Errorf("%s: got %+v, want %+v", name, in, want)
		}
	}
	if _, ok := ps.Set.Get("dkim"); ok {
		t.Error("dkim was built and nothing asks for it")
	}
}
