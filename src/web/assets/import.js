// Shows how the import is going, without asking for the page again and again.
{
  const text = document.getElementById("import-text");
  const bar = document.getElementById("import-bar");
  const events = new EventSource("/account/transfer/events");
  events.onmessage = ({ data }) => {
    const state = JSON.parse(data);
    if (state.isDone) {
      events.close();
      location.reload();
      return;
    }
    if (text.textContent !== state.text) text.textContent = state.text;
    if (state.total > 0) {
      bar.max = state.total;
      bar.value = state.done;
    } else bar.removeAttribute("value");
  };
}
