# Rules that ask a verb for what it does not do.
hostname = "mx.test"

quarantine "spam" {}

policy "p" {
  connect {
    quarantine "early" { # ERROR: not possible in the connect phase
    }

    score "early" { # ERROR: not possible in the connect phase
    }
  }

  mail {
    modify "early" { # ERROR: not possible in the mail phase
    }

    reject "a" {
      code = 450 # ERROR: reject gives 5xx codes
      text = "4.7.1 x" # ERROR: reject gives 5.x.x codes
    }

    reject { # ERROR: one label
    }
  }

  rcpt {
    skip "nothing" { # ERROR: needs classes
    }

    skip "malware" {
      when    = spf.result == "pass"
      classes = ["malware"] # ERROR: FP0213
    }

    tag "t" {
      add = ["two words"] # ERROR: is no tag
    }

    limit "l" {
      key  = client.ip
      rate = "5/1h"
      over = drop # ERROR: FP0108
    }

    greylist "g" {
      delay = 5 # ERROR: delay is a string
    }
  }

  data {
    score "s" {
      a = 5                   # ERROR: points(number, condition)
      b = points(1)           # ERROR: points(number, condition)
      c = points("x", true)   # ERROR: must be a number
      d = points(1, msg.size) # ERROR: condition is true or false
    }

    score "empty" { # ERROR: has no lines
    }

    modify "m" { # ERROR: changes nothing
    }

    modify "n" {
      add_header    = { "X Y" = "z" } # ERROR: no name of a header field
      remove_header = ["Received"]    # ERROR: Received fields stay
    }

    copy "c" {
      to = ["nobody"] # ERROR: is no mail address
    }

    hold "h" {
      notify = ["nobody"] # ERROR: is no mail address
    }

    strip "s" { # ERROR: needs extensions
    }

    strip "t" {
      extensions = ["*.exe"] # ERROR: is no extension of a file name
    }

    route "r" { # ERROR: needs via
    }

    route "t" {
      tls = must # ERROR: FP0108
    }
  }

  deliver {
    accept "late" { # ERROR: not possible in the deliver phase
    }
  }
}
