# What needs a database that is not named.
hostname = "mx.test"

policy "p" {
  connect {
    drop "a" {
      when = client.asn == 64496 # ERROR: Write asn = "/var/asn.mmdb" into the block filter "geo" {}
    }

    drop "b" {
      when = client.country == "XX" # ERROR: client.country is found by a filter that is not configured for it
    }
  }
}
