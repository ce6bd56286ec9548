# What is counted.
hostname = "mx.test"

policy "p" {
  rcpt {
    limit "a" {
      key   = client.ip
      rate  = "5/1h"
      count = octets # ERROR: is not a word for count
    }
  }
}
