# A filter that has nothing to find anything in.
hostname = "mx.test"

filter "geo" { # ERROR: Write asn = "/var/asn.mmdb", or country = "/var/country.mmdb".
}
