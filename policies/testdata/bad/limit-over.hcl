# What happens beyond a limit.
hostname = "mx.test"

policy "p" {
  rcpt {
    limit "a" {
      key  = client.ip
      rate = "5/1h"
      over = quarantine # ERROR: is not a word for over
    }
  }
}
