# An SMSC on Net::SMPP for Perl, whose codec nobody here wrote.
#
#   perl smsc.pl PORT PASSWORD
#
# Each PDU that it was sent is a line of JSON on stdout, its texts in hexadecimal. A text
# that begins with "parameters" has its receipt told by optional parameters alone.
use strict;
use warnings;
use JSON::PP;
use Net::SMPP;

my ($port, $password) = @ARGV;
my $json = JSON::PP->new->canonical->allow_unknown;
my $submits = 0;
$| = 1;
$SIG{CHLD} = 'IGNORE';

my %binds = (
    0x00000001 => 'bind_receiver_resp',
    0x00000002 => 'bind_transmitter_resp',
    0x00000009 => 'bind_transceiver_resp',
);

sub note {
    my ($pdu) = @_;
    my %said = map { $_ => $pdu->{$_} } grep { !/^\d+$/ && !ref $pdu->{$_} } keys %$pdu;
    $said{command} = Net::SMPP::pdu_tab->{ $pdu->{cmd} }{cmd};
    $said{$_} = unpack 'H*', $said{$_} // '' for qw(data short_message message_payload);
    print $json->encode(\%said), "\n";
}

sub receipt {
    my ($session, $pdu, $id) = @_;
    my %told =
        $pdu->{short_message} =~ /^parameters/
        ? (short_message => '', receipted_message_id => "$id\0", message_state => pack('C', 5))
        : (short_message => "id:$id sub:001 dlvrd:001 submit date:2611211200"
                . " done date:2611211201 stat:DELIVRD err:000 text:");
    $session->deliver_sm(
        source_addr => $pdu->{destination_addr},
        destination_addr => $pdu->{source_addr},
        esm_class => 0x04,
        async => 1,
        %told,
    );
}

sub take {
    my ($session, $pdu) = @_;
    my $id = sprintf '%s-%d', $$, ++$submits;
    $session->submit_sm_resp(message_id => $id, seq => $pdu->{seq});
    receipt($session, $pdu, $id) if $pdu->{registered_delivery} & 1;
}

sub serve {
    my ($session) = @_;
    while (my $pdu = $session->read_pdu) {
        note($pdu);
        my %answer = (seq => $pdu->{seq});
        if (my $bound = $binds{ $pdu->{cmd} }) {
            my $status = $pdu->{password} eq $password ? 0 : 0x0e;
            $session->$bound(%answer, system_id => 'perl', status => $status);
        }
        take($session, $pdu) if $pdu->{cmd} == 0x04;
        $session->enquire_link_resp(%answer) if $pdu->{cmd} == 0x15;
        return $session->unbind_resp(%answer) if $pdu->{cmd} == 0x06;
    }
}

my $listening = Net::SMPP->new_listen('127.0.0.1', port => $port, smpp_version => 0x34)
    or die "can't listen on $port: $!";
while (1) {
    my $session = $listening->accept or next;
    next if fork;
    serve($session);
    exit;
}
