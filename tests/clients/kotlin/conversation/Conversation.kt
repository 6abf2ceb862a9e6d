import chatkit.apis.RunsApi
import chatkit.apis.SessionsApi
import chatkit.infrastructure.ApiClient
import chatkit.infrastructure.ClientError
import chatkit.infrastructure.ClientException
import chatkit.infrastructure.Serializer
import chatkit.models.AssistantMessageContentPartTextDelta
import chatkit.models.AssistantMessageItem
import chatkit.models.CreateRunContent
import chatkit.models.CreateRunMessage
import chatkit.models.CreateRunRequest
import chatkit.models.ErrorCode
import chatkit.models.ErrorEvent
import chatkit.models.ErrorResponse
import chatkit.models.InputTextContent
import chatkit.models.OutputTextContent
import chatkit.models.ThreadItemDoneEvent
import chatkit.models.ThreadItemUpdatedEvent
import chatkit.models.ThreadStreamEvent
import java.time.Duration
import java.util.UUID
import okhttp3.MediaType.Companion.toMediaType
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody

const val QUESTION = "What is 6 times 7?"
val baseUrl: String = System.getenv("CHATKIT_URL")
val token: String = System.getenv("CHATKIT_TOKEN")

/** Yields the events of a run's stream as they arrive. The generated createRun waits for the whole body. */
fun createRun(sessionId: UUID, body: CreateRunRequest): Sequence<ThreadStreamEvent> = sequence {
    val request = Request.Builder()
        .url(baseUrl + RunsApi().createRunRequestConfig(sessionId, sessionId, body).path)
        .header("Authorization", "Bearer $token")
        .post(Serializer.gson.toJson(body).toRequestBody("application/json".toMediaType()))
        .build()
    // An idle stream has a comment line every 15 seconds; the default timeout is 10.
    val client = ApiClient.defaultClient.newBuilder().readTimeout(Duration.ofSeconds(60)).build()
    client.newCall(request).execute().use { response ->
        check(response.isSuccessful) { response.body.string() }
        while (true) {
            val line = response.body.source().readUtf8Line() ?: error("The stream ended before [DONE].")
            if (line == "data: [DONE]") break
            if (line.startsWith("data: ")) {
                yield(Serializer.gson.fromJson(line.removePrefix("data: "), ThreadStreamEvent::class.java))
            }
        }
    }
}

/** Returns the code in the typed body of a request that the server refuses with this status. */
fun refusal(status: Int, call: () -> Unit): ErrorCode {
    try {
        call()
    } catch (refusal: ClientException) {
        val response = refusal.response
        check(refusal.statusCode == status && response is ClientError<*>)
        return Serializer.gson.fromJson(response.body.toString(), ErrorResponse::class.java).error.code
    }
    error("The request was not refused.")
}

fun main() {
    ApiClient.accessToken = token
    val sessions = SessionsApi(baseUrl)

    // Create a session. This server allows one per user and refuses another with a typed 429.
    val session = sessions.createSession().data
    check(refusal(429) { sessions.createSession() } == ErrorCode.SESSION_LIMIT)

    check(sessions.listSessions(limit = 10).data.first().id == session.id)

    // Send a message and read the answer as it arrives.
    val part = CreateRunContent(CreateRunContent.Type.InputText, QUESTION)
    val message = CreateRunMessage(CreateRunMessage.Role.User, listOf(part))
    var text = ""
    var answer = ""
    for (event in createRun(session.id, CreateRunRequest(message))) {
        when (val event = event.actualInstance) {
            is ThreadItemUpdatedEvent -> {
                val update = event.update.actualInstance
                if (update is AssistantMessageContentPartTextDelta) text += update.delta
            }
            is ThreadItemDoneEvent -> {
                val item = event.item.actualInstance
                if (item is AssistantMessageItem) answer = item.content.joinToString("") { it.text }
            }
            is ErrorEvent -> error(event.message)
        }
    }
    check(answer != "" && text == answer)
    println(answer)

    val history = sessions.getSession(session.id).data.messages.map {
        when (val content = it.content.first().actualInstance) {
            is InputTextContent -> "${it.role}: ${content.text}"
            is OutputTextContent -> "${it.role}: ${content.text}"
            else -> error("unknown content")
        }
    }
    check(history == listOf("user: $QUESTION", "assistant: $answer"))

    check(sessions.deleteSession(session.id).data.deleted)
    check(refusal(404) { sessions.getSession(session.id) } == ErrorCode.SESSION_NOT_FOUND)

    // This server allows eight requests a minute; this is the ninth.
    sessions.listSessions()
    check(refusal(429) { sessions.listSessions() } == ErrorCode.RATE_LIMIT_EXCEEDED)
}
