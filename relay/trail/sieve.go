package trail

import "hash/maphash"

// sieve is a Bloom filter of the sessions in a segment: about 12 bits for each,
// which is 1/1000 of what is on the disk. It says "not here" for certain, and
// "here" wrongly in 1 of 300 cases.
type sieve []uint64

const (
	sieveBits   = 12 // for each session
	sieveProbes = 6
)

var sieveSeed = maphash.MakeSeed()

func hashID(id []byte) uint64 { return maphash.Bytes(sieveSeed, session(id)) }

// newSieve makes one of hashes; there may be doubles.
func newSieve(hashes map[uint64]struct{}) sieve {
	s := make(sieve, len(hashes)*sieveBits/64+1)
	for h := range hashes {
		for i := range uint64(sieveProbes) {
			bit := s.bit(h, i)
			s[bit/64] |= 1 << (bit % 64)
		}
	}
	return s
}

func (s sieve) has(h uint64) bool {
	for i := range uint64(sieveProbes) {
		if bit := s.bit(h, i); s[bit/64]&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// bit is the place of a probe: two halves of one hash serve for all.
func (s sieve) bit(h, i uint64) uint64 {
	return (h + i*(h>>32|1)) % (uint64(len(s)) * 64)
}
