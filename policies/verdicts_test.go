package policies

import (
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/pipeline"
)

func TestVerdicts(t *testing.T) {
	cases := []struct {
		why, policy, to, want string
		facts                 map[string]pipeline.Facts
		fail                  string
	}{
		{why: "nothing stands against it", policy: `policy "p" {}`, want: "none"},
		{why: "the text is filled in, its code is the enhanced one", want: "reject by p.rcpt.reject.a: 550 5.7.9 203.0.113.9 is blocked: look here",
			facts: map[string]pipeline.Facts{"dnsbl.zen": {"listed": true, "reason": "look\r\nhere"}},
			policy: `policy "p" {
  rcpt {
    reject "a" {
      when = dnsbl.zen.listed
      text = "5.7.9 ${client.ip} is blocked: ${dnsbl.zen.reason}"
    }
  }
}`},
		{why: "the first match decides", want: "defer by p.data.defer.b: 451 4.3.0 later",
			policy: `policy "p" {
  data {
    reject "a" {
      when = mail.null
      text = "5.7.1 x"
    }
    defer "b" {
      text = "4.3.0 later"
      when = !mail.null
    }
    reject "c" {
      text = "5.7.1 x"
    }
  }
}`},
		{why: "accept ends its phase, and the thresholds", want: "accept by p.data.accept.b",
			policy: `policy "p" {
  thresholds = { reject = 1 }
  data {
    score "a" {
      x = points(5, true)
    }
    accept "b" {}
    reject "c" {
      text = "5.7.1 x"
    }
  }
}`},
		{why: "points add up", want: "quarantine by p.thresholds.quarantine into spam; quarantine by p.thresholds.quarantine into lax", to: "bob@example.com eve@lax.example",
			policy: `policy "p" {
  thresholds = { tag = 1, quarantine = 4, reject = 15 }
  data {
    score "a" {
      x = points(2.25, true)
      y = points(1.75, mail.domain == "stranger.test")
      z = points(100, mail.null)
    }
  }
}`},
		{why: "a domain's thresholds replace the policy's for its recipients", to: "bob@example.com eve@lax.example",
			want: "reject by p.thresholds.reject: 550 5.7.1 This message looks like spam; none",
			policy: `policy "p" {
  thresholds = { reject = 15 }
  data {
    score "a" {
      x = points(20, true)
    }
  }
}`},
		{why: "skip takes rules of the class away, and the thresholds of spam", want: "reject by p.data.reject.virus: 550 5.7.1 x",
			policy: `policy "p" {
  thresholds = { reject = 1 }
  mail {
    skip "all" {
      classes = ["spam", "bulk"]
    }
  }
  rcpt {
    reject "a" {
      class = "spam"
      text  = "5.7.1 x"
    }
  }
  data {
    reject "b" {
      class = "bulk"
      text  = "5.7.1 x"
    }
    score "c" {
      x = points(5, true)
    }
    reject "virus" {
      class = "malware"
      text  = "5.7.1 x"
    }
  }
}`},
		{why: "a rule that mentions rcpt is asked for each", to: "bob@example.com eve@example.com",
			want: "none; quarantine by p.data.quarantine.a into lax",
			policy: `policy "p" {
  data {
    quarantine "a" {
      when = rcpt.local == "eve"
      into = quarantine.lax
    }
  }
}`},
		{why: "shadow and off change nothing", want: "none",
			policy: `policy "p" {
  data {
    reject "a" {
      mode = shadow
      text = "5.7.1 x"
    }
    reject "b" {
      mode = off
      text = "5.7.1 x"
    }
  }
}`},
		{why: "on_error speaks where a rule asked and could not be told", fail: "dnsbl.zen",
			want: "defer by p.on_error: 451 4.7.0 This message cannot be checked now, try again later",
			policy: `policy "p" {
  rcpt {
    reject "a" {
      when = dnsbl.zen.listed
      text = "5.7.1 x"
    }
  }
}`},
		{why: "nor where a rule on trial asked", fail: "dnsbl.zen", want: "none",
			policy: `policy "p" {
  rcpt {
    reject "a" {
      mode = shadow
      when = dnsbl.zen.listed
      text = "5.7.1 x"
    }
  }
}`},
		{why: "but not where no rule asked", fail: "dnsbl.zen", want: "none",
			policy: `policy "p" {
  rcpt {
    reject "a" {
      when = mail.null && dnsbl.zen.listed
      text = "5.7.1 x"
    }
  }
}`},
		{why: "nor where the answer did not depend on it", fail: "dnsbl.zen", want: "reject by p.rcpt.reject.a: 550 5.7.1 x",
			policy: `policy "p" {
  rcpt {
    reject "a" {
      when = dnsbl.zen.listed || !mail.null
      text = "5.7.1 x"
    }
  }
}`},
		{why: "a limit that is over defers", facts: map[string]pipeline.Facts{"limit:p.rcpt.limit.a": {"over": true, "count": 4.0, "limit": 3.0}},
			want: "defer by p.rcpt.limit.a: 451 4.7.1 Too many messages, try again later",
			policy: `policy "p" {
  rcpt {
    limit "a" {
      key  = client.ip
      rate = "3/1h"
    }
  }
}`},
		{why: "a limit that holds is remembered until the message is there", facts: map[string]pipeline.Facts{"limit:p.rcpt.limit.a": {"over": true}},
			want: "hold by p.rcpt.limit.a",
			policy: `policy "p" {
  rcpt {
    limit "a" {
      rate = "3/1h"
      over = hold
    }
  }
}`},
		{why: "so is a discard, and nothing is asked after it", want: "discard by p.mail.discard.a",
			policy: `policy "p" {
  mail {
    discard "a" {
      when = mail.domain == "stranger.test"
    }
  }
  data {
    reject "b" {
      text = "5.7.1 x"
    }
  }
}`},
		{why: "greylisting defers who is early", facts: map[string]pipeline.Facts{"greylist:p.rcpt.greylist.a": {"early": true}},
			want: "defer by p.rcpt.greylist.a: 451 4.7.1 You are new here, please try again in a few minutes",
			policy: `policy "p" {
  rcpt {
    greylist "a" {
      delay = "10m"
    }
  }
}`},
		{why: "rules that are used carry the name of their block", want: "reject by p.data.common.reject.a: 550 5.7.1 x",
			policy: `rules "common" {
  data {
    reject "a" {
      text = "5.7.1 x"
    }
  }
}
policy "p" {
  data {
    use "common" {
      when = !mail.null
    }
  }
}`},
		{why: "the condition of use counts for all of its rules", want: "none",
			policy: `rules "common" {
  data {
    reject "a" {
      text = "5.7.1 x"
    }
  }
}
policy "p" {
  data {
    use "common" {
      when = mail.null
    }
  }
}`},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			w := newWorld()
			for k, v := range c.facts {
				w.facts[k] = v
			}
			w.fail[c.fail] = true
			if c.to == "" {
				c.to = "bob@example.com"
			}
			if got := said(act(t, w, c.policy, transaction(t, strings.Fields(c.to)...))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
