# libmail-dkim-perl over the messages of a folder: "verify" their signatures, or
# "sign" them with RSA. keys.json has the TXT records by name, and how to sign.
use strict;
use warnings;
use JSON::PP;
use Mail::DKIM::DNS;
use Mail::DKIM::PrivateKey;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

my ($what, $folder) = @ARGV;
sub slurp { my ($p) = @_; open my $f, '<:raw', $p or die "$p: $!"; local $/; my $t = <$f>; return $t }
my $keys = decode_json(slurp("$folder/keys.json"));

{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub {
        my ($name, $type) = @_;
        my $txt = $keys->{records}{$name} or return ();
        my @pieces = unpack '(A255)*', $txt;
        return (Net::DNS::RR->new(owner => $name, type => 'TXT', txtdata => \@pieces));
    };
    *Mail::DKIM::DNS::query_async = sub { my ($name, $type, %o) = @_; my @r = Mail::DKIM::DNS::query($name, $type);
        return sub { $o{Callbacks}{Success} ? $o{Callbacks}{Success}->(@r) : @r } };
}

sub verify {
    my ($msg) = @_;
    my $v = Mail::DKIM::Verifier->new;
    $v->PRINT($msg);
    $v->CLOSE;
    my @s = $v->signatures or return 'no signature';
    for my $s (@s) { return $s->algorithm . ' ' . $s->result_detail if $s->result ne 'pass' }
    return 'ok';
}

sub sign {
    my ($msg, $path) = @_;
    for my $s (grep { $_->{algorithm} eq 'rsa-sha256' } @{ $keys->{sign} }) {
        my $k = join '', grep { !/-----/ } split /\n/, $s->{key};
        my $d = Mail::DKIM::Signer->new(Algorithm => $s->{algorithm}, Method => "$s->{header}/$s->{body}", Domain => $s->{domain},
            Selector => $s->{selector}, Key => Mail::DKIM::PrivateKey->load(Data => $k));
        $d->PRINT($msg);
        $d->CLOSE;
        open my $f, '>:raw', "$path.$s->{algorithm}-$s->{header}-$s->{body}" or die $!;
        print $f $d->signature->as_string, "\r\n", $msg;
        close $f;
    }
    return 'ok';
}

for my $path (sort glob "$folder/*.eml") {
    my $msg = slurp($path);
    my $said = eval { $what eq 'verify' ? verify($msg) : sign($msg, $path) } // "died: $@";
    $said =~ s/\s+/ /g;
    my ($name) = $path =~ m{([^/]+)$};
    print "$name $said\n";
}
