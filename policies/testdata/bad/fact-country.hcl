# One database is named and the other is asked, in a `when` before the block too.
hostname = "mx.test"

filter "spf" {
  when = client.country != "XX" # ERROR: Write country = "/var/country.mmdb"
}

filter "geo" {
  asn = "asn.mmdb"
}

policy "p" {
  connect {
    drop "a" {
      when = client.asn == 64496
    }

    drop "b" {
      when = listed(client.country, ["XX"]) # ERROR: Write country = "/var/country.mmdb"
    }
  }
}
