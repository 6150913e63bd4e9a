// Says so when the numbers on the page are old, because the server did not answer the last poll.
document.addEventListener("htmx:afterRequest", (event) => {
  const notice = document.getElementById("rs-stalled");
  if (notice) notice.hidden = event.detail.successful;
});
