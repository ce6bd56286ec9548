# Expressions that are not the language's, and arguments that functions do not take.
hostname = "mx.test"

list "words" {
  type  = word
  items = ["a"]
}

policy "p" {
  data {
    tag "a" {
      when = [for x in msg.to : x] == [] # ERROR: FP0207
      add  = ["a"]
    }

    tag "b" {
      when = msg.to[0] == "x" # ERROR: FP0207
      add  = ["a"]
    }

    tag "c" {
      when = msg.subject == null # ERROR: There is no null
      add  = ["a"]
    }

    tag "d" {
      when = msg.subject # ERROR: Compare it
      add  = ["a"]
    }

    tag "e" {
      when = msg.size > "5" # ERROR: FP0202
      add  = ["a"]
    }

    tag "f" {
      when = lower() == "x" # ERROR: FP0206
      add  = ["a"]
    }

    tag "g" {
      when = matches(msg.subject, "(a") # ERROR: FP0208
      add  = ["a"]
    }

    tag "h" {
      when = matches(msg.subject, "(?=a)") # ERROR: FP0208
      add  = ["a"]
    }

    tag "i" {
      when = between("25:00", "06:00") # ERROR: is no time of day
      add  = ["a"]
    }

    tag "j" {
      when = listed(msg.size, list.words) # ERROR: FP0206
      add  = ["a"]
    }

    tag "k" {
      when = weekday() == "monday" # ERROR: FP0203
      add  = ["a"]
    }

    tag "l" {
      when = within(client.ip, "10.0.0.0/33") # ERROR: 10.0.0.0/33
      add  = ["a"]
    }

    tag "m" {
      when = !msg.size # ERROR: FP0201
      add  = ["a"]
    }

    tag "n" {
      when = { a = 1 } # ERROR: object
      add  = ["a"]
    }
  }
}
