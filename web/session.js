// What is kept as long as the tab is open. Where storage is off or full, it is kept until the page is left.

export function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

export function keep(key, text) {
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // said above
  }
}
