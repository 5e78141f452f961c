// An SMSC on the npm package smpp, whose codec and sessions nobody here wrote.
//
//   node smsc.cjs '{"port": 2775, "latency": 0, "receipts": true, ...}'
//
// Each PDU that it was sent is a line of JSON on stdout if `log` is set. What a text begins with
// tells what becomes of the message: see `fates`.
'use strict';

const smpp = require('smpp');

const options = Object.assign(
  {
    port: 2775,
    password: 'secret',
    latency: 0, // ms before a submit is answered
    receipts: true, // where the submit asks for one
    repeat: 1, // how often each receipt is sent
    early: false, // the receipt comes before the answer
    after: 0, // ms between the answer and the receipt
    hex: false, // ids in answers are hexadecimal, in receipts' texts decimal
    text: true, // the receipt is told by its text; else by parameters alone
    enquire: 0, // ms between the SMSC's own enquiries
    log: false,
  },
  JSON.parse(process.argv[2] || '{}'),
);

const fates = {
  undeliv: ['UNDELIV', 5],
  expire: ['EXPIRED', 3],
  reject: ['REJECTD', 8],
};
// Ids do not come round again when it is started again.
let submits = Date.now() % 0x7fffffff;

function textOf(pdu) {
  const payload = pdu.message_payload || pdu.short_message;
  return String(payload.message === undefined ? payload : payload.message);
}

function sendReceipt(session, pdu, number) {
  const [stat, state] = fates[textOf(pdu).split(' ')[0]] || ['DELIVRD', 2];
  const receipt = {
    source_addr: pdu.destination_addr,
    destination_addr: pdu.source_addr,
    esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
  };
  if (options.text) {
    receipt.short_message =
      `id:${number} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 ` +
      `stat:${stat} err:000 text:${textOf(pdu).slice(0, 20)}`;
  } else {
    receipt.receipted_message_id = idOf(number);
    receipt.message_state = state;
  }
  const send = (tries) =>
    session.deliver_sm(receipt, (answer) => {
      if (options.log) {
        console.log(JSON.stringify({ receipt: number, status: answer.command_status }));
      }
      if (answer.command_status !== 0 && tries < 100) {
        setTimeout(send, 100, tries + 1);
      }
    });
  for (let copy = 0; copy < options.repeat; copy++) {
    send(0);
  }
}

function idOf(number) {
  return options.hex ? number.toString(16).toUpperCase().padStart(8, '0') : String(number);
}

function take(session, pdu) {
  const number = ++submits;
  const answer = () => {
    if (textOf(pdu).startsWith('throttle')) {
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    const wanted = options.receipts && (pdu.registered_delivery & 1);
    if (wanted && options.early) {
      sendReceipt(session, pdu, number);
    }
    session.send(pdu.response({ message_id: idOf(number) }));
    if (wanted && !options.early) {
      setTimeout(sendReceipt, options.after, session, pdu, number);
    }
  };
  if (options.latency) {
    setTimeout(answer, options.latency);
  } else {
    answer();
  }
}

const server = smpp.createServer({}, (session) => {
  session.on('error', () => session.close());
  for (const role of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(role, (pdu) => {
      const known = pdu.password === options.password;
      session.send(pdu.response(known ? { system_id: 'smsc' } : { command_status: 0x0e }));
    });
  }
  session.on('submit_sm', (pdu) => take(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => {
    session.send(pdu.response());
    session.close();
  });
  if (options.log) {
    session.on('pdu', (pdu) => console.log(JSON.stringify(pdu)));
  }
  if (options.enquire) {
    const asking = setInterval(() => session.enquire_link(), options.enquire);
    session.on('close', () => clearInterval(asking));
  }
});

server.listen(options.port, '127.0.0.1');
