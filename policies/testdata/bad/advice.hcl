# Nothing here is wrong, and none of it is meant.
hostname = "mx.test"

list "unused" { # WARNING: Nothing refers to list.unused
  type  = word
  items = [] # WARNING: has no entries
}

quarantine "one" { # WARNING: Nothing refers to quarantine.one
}

quarantine "two" {
}

route "unused" { # WARNING: Nothing refers to route.unused
  to = mx
}

policy "p" {
  mail {
    skip "friend" { # WARNING: anybody can claim it
      when    = mail.domain == "friend.test"
      classes = ["spam"]
    }

    skip "all" { # WARNING: switches off the class malware
      when    = auth.ok
      classes = ["malware"]
      force   = true
    }
  }

  rcpt {
    reject "bare" {
      when = mail.null
      text = "No bounces" # WARNING: enhanced status code
    }

    reject "never" { # WARNING: Its condition is false whatever the mail
      when = 1 > 2
      text = "5.7.1 x"
    }

    accept "all" {}

    reject "late" { # WARNING: accept "all", line 44
      when = auth.ok
      text = "5.7.1 x"
    }
  }

  data {
    quarantine "q" {
      when = msg.is_bulk
      into = quarantine.two
    }
  }
}
