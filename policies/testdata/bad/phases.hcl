# What is asked for too early, or too late, or done in the wrong phase.
hostname = "mx.test"

filter "dnsbl" "late" {
  zone = "dbl.example"
  key  = msg.from_domain
}

policy "p" {
  connect {
    reject "spf" {
      when = spf.result == "fail" # ERROR: Move the rule to a mail block.
      text = "5.7.1 x"
    }

    quarantine "q" { # ERROR: It is possible in: data
    }

    score "s" { # ERROR: It is possible in: data
    }
  }

  rcpt {
    reject "macros" {
      when = msg.has_macros # ERROR: "msg" is not known yet
      text = "5.7.1 x"
    }

    reject "header" {
      when = header("X-A") != "" # ERROR: Move the rule to a data block.
      text = "5.7.1 ${msg.subject}" # ERROR: "msg" is not known yet
    }

    reject "moved" {
      when = dnsbl.late.listed # ERROR: first known in the data phase
      text = "5.7.1 x"
    }

    limit "l" {
      key  = msg.from # ERROR: "msg" is not known yet
      rate = "1/1h"
    }
  }

  deliver {
    defer "gone" {
      when = msg.subject == "x" # ERROR: no longer known
      text = "4.7.1 x"
    }

    reject "no" { # ERROR: It is possible in: connect, helo, mail, rcpt, data
    }
  }
}
