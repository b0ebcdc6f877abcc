// Before anything is drawn: scripts work, so the form for browsers without them is not shown.
document.documentElement.classList.add("js");
