# A file that is not there is a warning here, and an error where it is served.
hostname = "mx.test"

list "a" {
  type = ip
  file = "lists/gone.txt" # WARNING: FP0003
}

policy "p" {
  connect {
    drop "a" {
      when = listed(client.ip, list.a)
    }
  }
}
