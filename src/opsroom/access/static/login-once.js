// The secret is behind the # so that no server log ever holds it. It moves into the form and
// out of the address bar; pressing the button is left to the person.
const code = location.hash.slice(1);
const field = document.querySelector("#once [name=code]");
if (code && field) {
  field.value = code;
  history.replaceState(null, "", location.pathname);
  document.querySelector("#once button").focus();
}
