# An SMS centre on loopback: smsc.pl PORT SYSTEM_ID PASSWORD. It prints what it is told, one line each.
# What it does with a text depends on whom it goes to:
#   4366490000NN  refuses it with command_status NN (decimal)
#   43664900100   never answers
#   43664900200   hangs up instead of answering
#   others        takes it; with registered_delivery, a receipt follows: DELIVRD, or UNDELIV for numbers that end in 9
use strict;
use warnings;
use Net::SMPP;
use constant { BIND => 0x9, SUBMIT => 0x4, ENQUIRE => 0x15, ENQUIRE_RESP => 0x80000015, UNBIND => 0x6,
               DELIVER_RESP => 0x80000005 };

$| = 1;
$SIG{CHLD} = 'IGNORE';
my ($port, $system_id, $password) = @ARGV;
my $listener = Net::SMPP->new_listen('127.0.0.1', port => $port, smpp_version => 0x34) or die "listen: $!";
my $taken = 0;

while (1) {
    my $session = $listener->accept or next;
    $taken += 1000;
    next if fork;
    serve($session);
    exit 0;
}

sub serve {
    my ($session) = @_;
    while (my $pdu = $session->read_pdu) {
        my $command = $pdu->{cmd};
        if ($command == BIND) {
            my $status = $pdu->{system_id} ne $system_id ? 0x0F : $pdu->{password} ne $password ? 0x0E : 0;
            printf "bind %d %s\n", $status, $pdu->{system_type} || '-';
            $session->bind_transceiver_resp(seq => $pdu->{seq}, status => $status, system_id => 'CENTRE');
            return if $status;
            $session->enquire_link(async => 1);
        }
        elsif ($command == SUBMIT)       { submit($session, $pdu) or return }
        elsif ($command == ENQUIRE)      { print "enquire_link\n"; $session->enquire_link_resp(seq => $pdu->{seq}) }
        elsif ($command == ENQUIRE_RESP) { print "enquire_link_resp\n" }
        elsif ($command == DELIVER_RESP) { printf "deliver_sm_resp %d\n", $pdu->{status} }
        elsif ($command == UNBIND)       { print "unbind\n"; $session->unbind_resp(seq => $pdu->{seq}); return }
        else                             { printf "unexpected %08x\n", $command; return }
    }
}

sub submit {
    my ($session, $pdu) = @_;
    my $to = $pdu->{destination_addr};
    my $payload = defined $pdu->{message_payload};
    my $id = sprintf 'c%05d', ++$taken;
    printf "submit %s ton=%d npi=%d from=%s ton=%d npi=%d coding=%d esm=%d payload=%d message=%s\n", $to,
        @$pdu{qw(dest_addr_ton dest_addr_npi)}, $pdu->{source_addr} || '-', @$pdu{qw(source_addr_ton source_addr_npi)},
        @$pdu{qw(data_coding esm_class)}, $payload, unpack 'H*', $payload ? $pdu->{message_payload} : $pdu->{short_message};
    return 1 if $to eq '43664900100';
    return 0 if $to eq '43664900200';
    my $status = $to =~ /^4366490000(\d\d)$/ ? $1 + 0 : 0;
    $session->submit_sm_resp(seq => $pdu->{seq}, status => $status, message_id => $id);
    return 1 if $status or not $pdu->{registered_delivery};
    my ($word, $state, $error) = $to =~ /9$/ ? ('UNDELIV', 5, '027') : ('DELIVRD', 2, '000');
    $session->deliver_sm(
        async => 1, esm_class => 4, source_addr => $to, destination_addr => $pdu->{source_addr},
        receipted_message_id => "$id\0", message_state => chr $state,
        short_message => "id:$id sub:001 dlvrd:001 submit date:2611260200 done date:2611260201 stat:$word err:$error text:",
    );
    return 1;
}
