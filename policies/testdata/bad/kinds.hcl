# One mistake, one complaint: the facts of a filter that does not exist are not
# complained of again.
hostname = "mx.test"

filter "clamav" "main" { # ERROR: There is no filter of the kind "clamav"
}

policy "p" {
  data {
    reject "a" {
      when = clamav.main.infected
      text = "5.7.1 ${clamav.main.virus}"
    }
  }
}
