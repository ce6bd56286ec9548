# What needs a database that is not here.
hostname = "mx.test"

policy "p" {
  connect {
    drop "a" {
      when = client.asn == 64496 # ERROR: needs a database of networks
    }

    drop "b" {
      when = client.country == "XX" # ERROR: listed(client.ip, list.name)
    }
  }
}
