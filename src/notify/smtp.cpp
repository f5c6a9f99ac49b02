#include "smtp.hpp"

#include <stdexcept>

#include "encoding.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t most_detail = 200;

CURL* make_handle() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL* const handle = ready == CURLE_OK ? curl_easy_init() : nullptr;
  if (handle == nullptr) throw std::runtime_error("libcurl cannot be used");
  return handle;
}

std::string url_of(const Mailer::Settings& settings, const Mailbox& sender) {
  const bool is_ipv6 = settings.host.find(':') != settings.host.npos;
  const std::string host = is_ipv6 ? "[" + settings.host + "]" : settings.host;
  // The path is the name that EHLO says; that of a container would be refused by servers who want a domain.
  return (settings.effective_tls() == MailTls::tls ? "smtps://" : "smtp://") + host + ":" + std::to_string(settings.port) + "/" +
         std::string(sender.domain());
}

}  // namespace

SmtpClient::SmtpClient(const Mailer::Settings& settings, const Mailbox& sender, const std::atomic<bool>& stop)
    : stop_(stop), handle_(make_handle(), &curl_easy_cleanup) {
  set_up(settings, sender);
}

void SmtpClient::set_up(const Mailer::Settings& settings, const Mailbox& sender) {
  const auto set = [this](CURLoption option, auto value) {
    if (curl_easy_setopt(handle_.get(), option, value) != CURLE_OK) throw std::runtime_error("libcurl lacks what mail needs");
  };
  set(CURLOPT_URL, url_of(settings, sender).c_str());
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(CURLOPT_PROXY, "");  // none, whatever the environment says
  set(CURLOPT_USE_SSL, static_cast<long>(settings.effective_tls() == MailTls::none ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings.ca_file.empty()) set(CURLOPT_CAINFO, settings.ca_file.c_str());
  if (!settings.user.empty()) {
    set(CURLOPT_USERNAME, settings.user.c_str());
    set(CURLOPT_PASSWORD, settings.password.reveal().data());  // ends with a zero, as it is a string's
  }
  set(CURLOPT_MAIL_FROM, ("<" + sender.address + ">").c_str());
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings.attempt_timeout.count()));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // does not wait for a name that is being looked up
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_READFUNCTION, &read_message);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_HEADERFUNCTION, &note_reply);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_VERBOSE, 1L);
  set(CURLOPT_DEBUGFUNCTION, &note_command);
  set(CURLOPT_DEBUGDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &is_stopped);
  set(CURLOPT_XFERINFODATA, this);
}

Delivery SmtpClient::deliver(const std::string& recipient, std::string_view message) {
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> recipients(
      curl_slist_append(nullptr, ("<" + recipient + ">").c_str()), &curl_slist_free_all);
  curl_easy_setopt(handle_.get(), CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(handle_.get(), CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(message.size()));
  unread_ = message;
  reply_.clear();
  recipient_named_ = leaving_ = false;
  error_[0] = '\0';
  const CURLcode code = curl_easy_perform(handle_.get());
  curl_easy_setopt(handle_.get(), CURLOPT_MAIL_RCPT, static_cast<curl_slist*>(nullptr));
  return judge(code);
}

Delivery SmtpClient::judge(CURLcode code) const {
  using Verdict = Delivery::Verdict;
  if (code == CURLE_OK) return {Verdict::sent, ""};
  if (code == CURLE_ABORTED_BY_CALLBACK) return {Verdict::stopped, ""};
  const bool is_refusal = reply_.starts_with('4') || reply_.starts_with('5');
  const std::string detail = is_refusal ? reply_ : *error_ != '\0' ? error_ : curl_easy_strerror(code);
  // Once a recipient is named, trouble is put down to this mail: one that makes the server break off must not keep all
  // others from being sent.
  const Verdict verdict = !recipient_named_ ? Verdict::unreachable : reply_.starts_with('5') ? Verdict::refused : Verdict::put_off;
  return {verdict, encoding::one_line(detail, most_detail)};
}

std::size_t SmtpClient::read_message(char* into, std::size_t size, std::size_t count, void* self) {
  std::string_view& unread = static_cast<SmtpClient*>(self)->unread_;
  const std::size_t taken = unread.copy(into, size * count);
  unread.remove_prefix(taken);
  return taken;
}

std::size_t SmtpClient::note_reply(char* line, std::size_t size, std::size_t count, void* self) {
  auto& client = *static_cast<SmtpClient*>(self);
  std::string_view text(line, size * count);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (!client.leaving_) client.reply_ = text;
  return size * count;
}

int SmtpClient::note_command(CURL*, curl_infotype type, char* text, std::size_t size, void* self) {
  if (type != CURLINFO_HEADER_OUT) return 0;
  auto& client = *static_cast<SmtpClient*>(self);
  const std::string_view command(text, size);
  if (command.starts_with("RCPT")) client.recipient_named_ = true;
  if (command.starts_with("QUIT")) client.leaving_ = true;
  return 0;
}

int SmtpClient::is_stopped(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const SmtpClient*>(self)->stop_ ? 1 : 0;
}

}  // namespace proxyxai
