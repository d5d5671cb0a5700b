// The one connection a browser keeps to the event stream, shared by all its tabs.
// The worker is named after the stream's address. Each message is JSON: {event, subject, …}.

const ports = new Set();
let source;
let broken = false;

const tell = (change) => {
  for (const port of ports) port.postMessage(change);
};

function open() {
  if (source) return;
  source = new EventSource(self.name);
  source.onmessage = (message) => tell(JSON.parse(message.data));
  source.onopen = () => {
    if (broken) tell({ gap: true });
    broken = false;
  };
  source.onerror = () => {
    broken = true;
    // Refused for good, for example signed out: the next page that joins tries again.
    if (source.readyState === EventSource.CLOSED) source = undefined;
  };
}

self.onconnect = ({ ports: [port] }) => {
  const join = () => {
    ports.add(port);
    open();
  };
  port.onmessage = ({ data }) => {
    if (data === "join") join();
    if (data === "leave") ports.delete(port);
    if (ports.size === 0) {
      source?.close();
      source = undefined;
    }
  };
  join();
};
